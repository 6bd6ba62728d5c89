import { spawn } from 'node:child_process';
import path from 'node:path';

export const REPOSITORY = path.resolve(import.meta.dirname, '../../..');
const NODE = path.join(REPOSITORY, 'node_modules/.bin/node');
/** The deliver under test: this checkout’s, or an installed one. */
const RUN = process.env['DELIVER_CLI'] ?? path.join(REPOSITORY, 'bin/run.js');

export interface Outcome {
  /** Exit code, or the signal's name. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, as a person would have seen them. */
  readonly text: string;
  /** The same with every run of white space as one blank, since text is wrapped at 80 columns. */
  readonly words: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** kill -9 this many milliseconds after the start; the run must not have ended by itself to count. */
  readonly killAfter?: number;
  /** kill -9 this many milliseconds after the output first holds this text. */
  readonly killAt?: { readonly text: string; readonly delay: number };
  /** Called with everything printed so far. */
  readonly onOutput?: (text: string) => void;
  /** Milliseconds; a run that takes longer is killed and fails the test. */
  readonly timeout?: number;
  readonly stdin?: string;
  /** Ctrl-C when it is aborted. */
  readonly stop?: AbortSignal;
}

/** Runs deliver on the connected side: this machine, loopback only. */
export function onConnectedSide(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run([NODE, RUN, ...args], options);
}

/** Runs deliver on the operator's machine inside the site, which has no way out. */
export function onSite(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run([path.join(REPOSITORY, 'test/lab/run-on-site'), NODE, RUN, ...args], options);
}

/** Runs any command inside the site. */
export function commandOnSite(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run([path.join(REPOSITORY, 'test/lab/run-on-site'), ...command], options);
}

function run(command: readonly string[], options: RunOptions): Promise<Outcome> {
  const [program = '', ...args] = command;
  const env = { ...process.env, NO_COLOR: '1', ...options.env };
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const streams = { stdout: '', stderr: '', text: '' };
  const timers = [setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 300_000)];
  let struck = false;
  const collect = (name: 'stdout' | 'stderr') => (chunk: Buffer) => {
    streams[name] += chunk.toString();
    streams.text += chunk.toString();
    options.onOutput?.(streams.text);
    const { killAt } = options;
    if (killAt === undefined || struck || !streams.text.includes(killAt.text)) return;
    struck = true;
    timers.push(setTimeout(() => child.kill('SIGKILL'), killAt.delay));
  };
  child.stdout.on('data', collect('stdout'));
  child.stderr.on('data', collect('stderr'));
  options.stop?.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.stdin ?? '');
  if (options.killAfter !== undefined) timers.push(setTimeout(() => child.kill('SIGKILL'), options.killAfter));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      timers.forEach(clearTimeout);
      resolve({ code: code ?? signal ?? 'unknown', ...streams, words: streams.text.replace(/\s+/g, ' ') });
    });
  });
}
