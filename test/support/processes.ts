import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Numbers of all processes below one. */
export function descendants(pid: number): number[] {
  const path = `/proc/${String(pid)}/task/${String(pid)}/children`;
  if (!existsSync(path)) return [];
  const children = readFileSync(path, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendants)];
}

/** Kills a process that may be gone already. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** Listens to a server that was started: the end of what it says, and its own end. */
export function attend(child: ChildProcess): { said(): string; end(patience: number): Promise<void> } {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-2000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  return {
    said: () => said,
    // Asked first; after so many milliseconds made to.
    end: async (patience) => {
      child.kill('SIGTERM');
      const forced = setTimeout(() => child.kill('SIGKILL'), patience);
      await ended;
      clearTimeout(forced);
    },
  };
}
