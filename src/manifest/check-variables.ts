import { outputProblem } from './check-outputs.ts';
import { unknownScope } from './interpolate.ts';
import type { Problem } from './problem.ts';
import type { Raw } from './raw.ts';
import { keysAt } from './schema-keys.ts';
import { SiteSchema } from './site-schema.ts';
import { didYouMean } from './suggest.ts';
import { nameSteps, SCOPES, variablesIn, type FoundVariable } from './variables.ts';

/** Variables that can never be filled in, whatever the site says: wrong scopes, versions, apps and site keys. */
export function checkVariables(raw: Raw): Problem[] {
  const versions = raw.versions !== null && typeof raw.versions === 'object' ? Object.keys(raw.versions) : [];
  return variablesIn(raw).flatMap((variable) => {
    const why = problemOf(variable, versions, raw);
    return why === undefined ? [] : [{ path: variable.path, message: `${variable.text} ${why}`, code: 'E_VARIABLE' }];
  });
}

function problemOf(variable: FoundVariable, versions: readonly string[], raw: Raw): string | undefined {
  if (variable.path[0] === 'versions') return 'can’t stand under versions:, which holds plain values';
  switch (variable.scope) {
    case 'versions':
      return versions.includes(variable.name) ? undefined : `is not set under versions:.${didYouMean(variable.name, versions)}`;
    case 'secret':
      if (variable.path[0] !== 'apps' || variable.path[2] !== 'secrets')
        return 'can stand under secrets: of an app only, where it does not show';
      return /^[A-Za-z0-9_.-]+$/.test(variable.name) ? undefined : 'needs the name of a secret: ${secret.db-password}';
    case 'outputs':
      return outputProblem(variable, raw);
    case 'site':
      return siteProblem(variable.name);
    default:
      return `${unknownScope(variable, SCOPES)} For a literal \${ write $\${`;
  }
}

function siteProblem(name: string): string | undefined {
  const steps = nameSteps(name);
  let prefix: (string | number)[] = [];
  for (const step of steps) {
    const known = keysAt(SiteSchema, prefix);
    if (typeof step === 'string' && known.length > 0 && !known.includes(step))
      return `is nothing that a site file has.${didYouMean(step, known)}`;
    prefix = [...prefix, step];
  }
  return undefined;
}
