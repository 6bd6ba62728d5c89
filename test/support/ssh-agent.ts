import { execa } from 'execa';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real ssh-agent without keys. */
export interface SshAgent {
  readonly socket: string;
  stop(): Promise<void>;
}

/** @param folder for its socket */
export async function startSshAgent(folder: string): Promise<SshAgent> {
  const socket = join(folder, 'agent.sock');
  const agent = execa('ssh-agent', ['-D', '-a', socket], { reject: false, stdio: 'ignore' });
  const gone = agent.then(() => undefined);
  for (let tries = 0; tries < 200 && (await stat(socket).catch(() => undefined)) === undefined; tries++) await sleep(25);
  return {
    socket,
    stop: async () => {
      agent.kill();
      await gone;
    },
  };
}
