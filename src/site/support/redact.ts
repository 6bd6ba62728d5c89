import { redactCounted } from '../../core/secret.ts';
import { RULES, type Rule } from './redact-rules.ts';

const MARK = '***';

/** Rule → how often it found something. */
export type Redactions = ReadonlyMap<string, number>;

/** `text` without anything that a rule finds, and without every secret that deliver knows of this site. */
export function redactText(text: string): { readonly text: string; readonly found: Redactions } {
  const found = new Map<string, number>();
  const known = redactCounted(text);
  if (known.count > 0) found.set('secret of the site', known.count);
  let clean = known.text;
  for (const rule of RULES) {
    if (rule.where?.test(clean) === false) continue;
    clean = clean.replace(rule.pattern, (all: string, ...groups: unknown[]) => {
      const replaced = replacement(rule, all, groups);
      if (replaced !== all) found.set(rule.name, (found.get(rule.name) ?? 0) + 1);
      return replaced;
    });
  }
  return { text: clean, found };
}

/** The mark in the quotes and before the line end that the value had; a value that is the mark already stays. */
function replacement({ keep = '' }: Rule, all: string, groups: readonly unknown[]): string {
  const kept = keep.replace(/\$(\d)/g, (_, index: string) => groupAt(groups, Number(index)));
  const value = all.slice(kept.trimEnd().length).trimStart();
  if (value.trimEnd().replace(/^["'\\]+|["'\\]+$/g, '') === MARK) return all;
  const quote = /^\\*["']/.exec(value)?.[0] ?? '';
  return `${kept}${quote}${MARK}${quote}${all.endsWith('\n') ? '\n' : ''}`;
}

function groupAt(groups: readonly unknown[], index: number): string {
  const group = groups[index - 1];
  return typeof group === 'string' ? group : '';
}
