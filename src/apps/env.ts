import type { App } from '../manifest/app-schema.ts';

/** One variable of a container (core/v1 EnvVar, what deliver needs of it). */
export type EnvVar =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly valueFrom: { readonly secretKeyRef: { readonly name: string; readonly key: string } } };

/**
 * Variables by name, except that one which uses `$(OTHER)` comes after OTHER: the kubelet expands only what stands before
 * it, and the lock, which sorts its keys, has no order of the packager's to keep.
 */
export function renderEnv(app: Pick<App, 'env' | 'secrets'>, secretName: string): EnvVar[] {
  const all = new Map<string, EnvVar>();
  for (const [name, value] of Object.entries(app.env ?? {})) all.set(name, { name, value });
  for (const name of Object.keys(app.secrets ?? {})) {
    all.set(name, { name, valueFrom: { secretKeyRef: { name: secretName, key: name } } });
  }
  const ordered = new Map<string, EnvVar>();
  const visiting = new Set<string>();
  const visit = (name: string): void => {
    const variable = all.get(name);
    if (variable === undefined || ordered.has(name) || visiting.has(name)) return;
    visiting.add(name);
    if ('value' in variable)
      for (const match of variable.value.matchAll(/\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)/g)) visit(match[1] ?? '');
    ordered.set(name, variable);
  };
  for (const name of [...all.keys()].sort()) visit(name);
  return [...ordered.values()];
}
