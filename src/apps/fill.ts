import { AppSchema, type App } from '../manifest/app-schema.ts';
import { interpolate } from '../manifest/interpolate.ts';
import { variablesIn } from '../manifest/variables.ts';
import { appError } from './app-error.ts';
import type { AppContext } from './context.ts';

/**
 * The app with `${outputs.…}` filled in. Its `secrets` stay as they are: their values must not travel with the app.
 * @throws DeliverError E_VARIABLE, E_SCHEMA for a secret outside `secrets:`
 */
export function fillOutputs(app: App, context: AppContext): App {
  const { secrets, ...open } = app;
  const leak = variablesIn(open).find((variable) => variable.scope === 'secret');
  if (leak !== undefined) {
    throw appError(
      app,
      `${leak.text} stands where everyone could read it (${leak.path.join('.')}).`,
      'Put it under secrets:, by variable name.',
    );
  }
  const filled = interpolate(open, { outputs: Object.fromEntries(context.outputs) });
  const parsed = AppSchema.safeParse({ ...(filled as object), ...(secrets === undefined ? {} : { secrets }) });
  if (parsed.success) return parsed.data;
  throw appError(app, parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; '));
}

/** A value of `secrets:` with its secrets revealed. @throws DeliverError E_SECRET_MISSING, E_VARIABLE */
export function fillSecrets(app: App, text: string, context: AppContext): string {
  const names = variablesIn(text).flatMap((variable) => (variable.scope === 'secret' ? [variable.name] : []));
  const secret = Object.fromEntries(names.map((name) => [name, context.secrets.get(name).reveal()]));
  const filled = interpolate(text, { secret, outputs: Object.fromEntries(context.outputs) });
  if (typeof filled === 'string') return filled;
  throw appError(app, `${text} is not a text.`);
}

/** Names behind `${outputs.…}` that the app uses: `base-server.clusterIP`. */
export function outputsUsed(app: App): string[] {
  const names = variablesIn(app).flatMap((variable) => (variable.scope === 'outputs' ? [variable.name] : []));
  return [...new Set(names)].sort();
}
