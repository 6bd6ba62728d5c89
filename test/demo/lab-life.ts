import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { say } from './narrator.ts';
import { run } from './run.ts';
import { DemoFailure, REPOSITORY } from './stage.ts';

const MINUTE = 60_000;
const FOLDER = process.env['DELIVER_LAB_DIR'] ?? '/var/tmp/deliver-lab';
const script = (name: string, ...args: string[]): [string, ...string[]] => ['bash', path.join(REPOSITORY, 'test', name), ...args];

const SOURCES: Readonly<Record<string, string>> = {
  cache: 'Its programs are in the cache: two or three minutes.',
  download: 'Kubernetes and the rest come from their official addresses: some minutes the first time.',
  build: 'dl.k8s.io is not to be reached, so Kubernetes and the rest are built from Go modules: up to 20 minutes the first time.',
};

/** A site as it was before deliver came; says whether it was up already. */
export async function openLab(signal: AbortSignal): Promise<'was up' | 'brought up'> {
  const there = existsSync(path.join(FOLDER, 'site/lab.json'));
  const isBare = there && readFileSync(path.join(FOLDER, 'run/mode'), 'utf8').trim() === 'bare';
  if (there && !isBare && (await succeeds(script('lab/status.sh'), signal))) {
    say('It is up already: put back to how it was before deliver came.');
    await resetLab(signal);
    return 'was up';
  }
  signal.throwIfAborted();
  const needs = await run(script('demo/needs.sh'), { timeout: MINUTE, output: 'answer', signal });
  const source = SOURCES[needs.stdout.trim()];
  if (needs.code !== 0 || source === undefined)
    throw new DemoFailure(
      'The lab can’t be brought up on this machine; what is missing is above.',
      'mend that, or see the part without a lab: DELIVER_DEMO_EMBEDDED=1 npm run demo',
    );
  if (there)
    say(isBare ? 'A lab of bare hosts is up: it is replaced.' : 'An earlier lab is there, but not in order: it is replaced.');
  say(source);
  const env = { ...process.env, DELIVER_LAB_DOWNLOAD: needs.stdout.trim() === 'build' ? '0' : '1' };
  const up = await run(script('lab/up.sh'), { timeout: 60 * MINUTE, env, signal });
  if (up.code !== 0) {
    await closeLab();
    throw new DemoFailure(
      `The lab did not come up (${String(up.code)}); why is above.`,
      'mend that and run npm run demo again: what is in the cache stays',
    );
  }
  return 'brought up';
}

/** The site as it was before deliver came. */
export async function resetLab(signal?: AbortSignal): Promise<void> {
  const reset = await run(script('lab/reset.sh'), { timeout: 5 * MINUTE, ...(signal === undefined ? {} : { signal }) });
  if (reset.code !== 0)
    throw new DemoFailure(`The lab could not be put back (${String(reset.code)}).`, 'bash test/lab/down.sh, then again');
}

/** Takes the lab down; not to be interrupted, so that nothing stays behind. */
export async function closeLab(): Promise<void> {
  const down = await run(script('lab/down.sh'), { timeout: 5 * MINUTE });
  if (down.code !== 0) throw new DemoFailure('The lab did not go down; what is left is above.', 'bash test/lab/down.sh');
}

async function succeeds(command: [string, ...string[]], signal: AbortSignal): Promise<boolean> {
  return (await run(command, { timeout: 3 * MINUTE, output: 'answer', hush: true, signal })).code === 0;
}
