import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryOrigins } from './memory-origins.ts';

/**
 * Origins for a child process that a test kills: every digest that is opened is logged, and after so many chunks it says on
 * standard output that it waits, and serves no more.
 */
export function stallingOrigins(
  content: ConstructorParameters<typeof MemoryOrigins>[0],
  log: string,
  most: number,
): MemoryOrigins {
  let chunks = 0;
  return new MemoryOrigins(content, {
    onOpen: (digest) => {
      appendFileSync(log, `${digest}\n`);
    },
    beforeChunk: async () => {
      chunks += 1;
      if (chunks <= most) return;
      process.stdout.write('waiting to be killed\n');
      await sleep(60_000);
    },
  });
}
