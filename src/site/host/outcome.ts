import { countText } from '../../core/amounts.ts';
import { DeliverError } from '../../core/errors.ts';
import type { HostOutcome } from './apply.ts';

/** Hosts that are named one by one in a summary; more are counted. */
const NAMED = 4;

/** `cp1, w1 changed · 3 hosts as they were` */
export function outcomeSummary(outcomes: readonly HostOutcome[]): string {
  const of = (state: HostOutcome['state']): string[] => outcomes.filter((one) => one.state === state).map(({ host }) => host);
  const changed = of('changed');
  if (changed.length === 0) return 'no change';
  const same = of('unchanged');
  return [`${namesText(changed)} prepared`, ...(same.length === 0 ? [] : [`${namesText(same)} as before`])].join(' · ');
}

/** How many things were changed on all hosts together. */
export function outcomeChanges(outcomes: readonly HostOutcome[]): number {
  return outcomes.reduce((sum, { changes, ran }) => sum + changes.length + ran.length, 0);
}

/**
 * Passes when every host is as it should be.
 * @throws DeliverError of the hosts that are not, naming every host with its state; with their own code when they share one
 */
export function refuseFailed(outcomes: readonly HostOutcome[]): void {
  const failed = outcomes.filter(({ error }) => error !== undefined);
  const [first] = failed;
  if (first?.error === undefined) return;
  if (outcomes.length === 1) throw first.error;
  const codes = new Set(failed.map(({ error }) => error?.code));
  const fixes = [...new Set(failed.flatMap(({ error }) => error?.facts.fix ?? []))];
  throw new DeliverError(codes.size === 1 ? first.error.code : 'E_HOST', {
    what: `${countText(failed.length, 'host')} of ${String(outcomes.length)} ${failed.length === 1 ? 'is' : 'are'} not ready.`,
    details: outcomes.flatMap(hostLines),
    ...(fixes.length === 0 ? {} : { fix: fixes.join('\n') }),
    state: 'The other hosts are as the list says. The same command goes on from here.',
    cause: first.error,
  });
}

function hostLines({ host, state, error }: HostOutcome): string[] {
  if (error === undefined) return [`${host}: ${state === 'changed' ? 'prepared' : 'as before'}`];
  const { what, why, details = [] } = error.facts;
  return [`${host}: ${state} · ${what}${why === undefined ? '' : ` ${why}`}`, ...details.map((line) => `    ${line}`)];
}

function namesText(names: readonly string[]): string {
  return names.length > NAMED ? countText(names.length, 'host') : names.join(', ');
}
