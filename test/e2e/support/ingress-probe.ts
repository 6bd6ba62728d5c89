import { commandOnSite } from './deliver.ts';
import type { Lab } from './lab.ts';

export interface ProbeReport {
  readonly requests: number;
  readonly failed: number;
  /** Most failures in a row, over both addresses. */
  readonly longest: number;
}

/** Asks the gatekeeper at both ingress addresses in turn, ten times a second, from outside the cluster, until it is stopped. */
export function probeIngress(lab: Lab): { stop(): Promise<ProbeReport> } {
  const stop = new AbortController();
  const urls = gatekeeperUrls(lab).join(' ');
  // The trap: an interrupt is to end the loop, not only the request that is under way.
  const loop = `trap 'exit 0' INT; while :; do for u in ${urls}; do curl -s -o /dev/null -m 3 -w '%{http_code}\\n' "$u"; sleep 0.1; done; done`;
  const ended = commandOnSite(['bash', '-c', loop], { stop: stop.signal, timeout: 3_600_000 });
  return {
    stop: async () => {
      stop.abort();
      const codes = (await ended).stdout.split('\n').filter((line) => line !== '');
      const runs = codes
        .map((code) => (code === '200' ? ' ' : 'x'))
        .join('')
        .split(' ');
      const failures = runs.map((run) => run.length);
      return {
        requests: codes.length,
        failed: failures.reduce((sum, count) => sum + count, 0),
        longest: Math.max(0, ...failures),
      };
    },
  };
}

/** What a person types: an ingress controller knows a new name a moment after the pods are ready, so it asks again. @param tries one each second */
export function ask(url: string, tries = 20): readonly string[] {
  return ['curl', '-fsS', '-m', '10', '--retry', String(tries), '--retry-delay', '1', '--retry-all-errors', url];
}

/** Where the sample app answers, under both nip.io hosts. */
export function gatekeeperUrls({ ingress }: Lab): readonly string[] {
  return ingress.addresses.map((address) => `http://gatekeeper.project.${address}.nip.io/`);
}

/** What the app answers under each of them; throws where it does not. @param tries one each second */
export async function gatekeeperAnswers(lab: Lab, tries?: number): Promise<readonly Record<string, unknown>[]> {
  const answers = gatekeeperUrls(lab).map(async (url) => {
    const { code, stdout, text } = await commandOnSite(ask(url, tries), { timeout: 300_000 });
    if (code !== 0) throw new Error(`${url}: ${text}`);
    return JSON.parse(stdout) as Record<string, unknown>;
  });
  return Promise.all(answers);
}
