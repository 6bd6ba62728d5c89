import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds; then it is killed with all that it started. */
  readonly timeout: number;
  /** An interrupt by the person: the command gets it too, and 20 s to end by itself. */
  readonly signal?: AbortSignal;
  /** Where standard output goes: `through` to the terminal (default), `tee` there and into the answer, `answer` only there. */
  readonly output?: 'through' | 'tee' | 'answer';
  /** Nobody sees standard error. */
  readonly hush?: boolean;
}

export interface Ended {
  /** Exit code, the signal's name, or why it was ended. */
  readonly code: number | string;
  readonly stdout: string;
}

const GRACE = 20_000;

/** Runs a program without input, in a process group of its own so that nothing of it outlives its time. */
export async function run(command: readonly [string, ...string[]], options: RunOptions): Promise<Ended> {
  const { cwd, env, timeout, signal, output = 'through', hush = false } = options;
  const [program, ...args] = command;
  const child = spawn(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    stdio: ['ignore', output === 'through' ? 'inherit' : 'pipe', hush ? 'ignore' : 'inherit'],
    detached: true,
  });
  let stdout = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    if (output === 'tee') process.stdout.write(chunk);
  });
  const timers: NodeJS.Timeout[] = [];
  let ended: string | undefined;
  const end = (first: NodeJS.Signals, why: string): void => {
    ended ??= why;
    killGroup(child.pid, first);
    timers.push(setTimeout(() => killGroup(child.pid, 'SIGKILL'), GRACE));
  };
  const interrupted = (): void => end('SIGINT', 'interrupted');
  timers.push(setTimeout(() => end('SIGTERM', `no end after ${String(Math.round(timeout / 1000))} s`), timeout));
  signal?.addEventListener('abort', interrupted);
  if (signal?.aborted === true) interrupted();
  try {
    const [code, by] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { code: ended ?? code ?? by ?? 'unknown', stdout };
  } finally {
    timers.forEach(clearTimeout);
    signal?.removeEventListener('abort', interrupted);
  }
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone.
  }
}
