import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { serveBigImage } from './big-image.ts';
import { HOST, MEMORY, releaseText } from './contest.ts';
import { measure } from './measure.ts';
import { startRegistry } from './registry.ts';
import type { Tools } from './setup.ts';

/** Past 8 GiB, what the octal size field of a ustar header can say. */
const SIZE = 9_000_000_000;
/** The bundle, and the registry's copy. */
const NEEDED = 2.2 * SIZE;

/** One blob of 9 GB through pack, verify and push. Gives its part of the document. */
export async function holdBig({ tools, folder }: { readonly tools: Tools; readonly folder: string }): Promise<string> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < NEEDED)
    throw new Error(`${folder}: ${inGigabytes(free)} are free, ${inGigabytes(NEEDED)} are needed; BENCH_DIR names another place`);
  const image = await serveBigImage(SIZE);
  const registry = await startRegistry(path.join(folder, 'target'));
  try {
    const release = path.join(folder, 'big.yaml');
    await writeFile(release, releaseText('big', `mirror: "${image.host}"`, ['big:v1']));
    const bundle = path.join(folder, 'big-1.tar');
    const lines: string[] = [];
    for (const words of [
      `resolve ${release}`,
      `pack ${release} --output ${folder}`,
      `verify ${bundle} --allow-unsigned`,
      `push ${bundle} --to ${registry.host} --allow-unsigned`,
    ]) {
      const work = path.join(folder, 'work');
      await mkdir(work, { recursive: true });
      const { wall, cpu, memory } = await measure(`${tools.deliver} ${words}`, work);
      await rm(work, { recursive: true, force: true });
      const isMet = memory <= MEMORY ? 'met' : '**not met**';
      lines.push(
        `| deliver ${words.split(' ', 1).join('')} | ${memory.toFixed(0)} | ${isMet} | ${wall.toFixed(1)} | ${cpu.toFixed(1)} |`,
      );
    }
    return `## One blob of ${inGigabytes(SIZE)}

An image with one layer past the 8 GiB that the header of a tar member can say (${HOST}/big:v1), once. Aim: at most ${MEMORY} MB of memory.

| | peak memory MB | | wall s | CPU s |
|---|---|---|---|---|
${lines.join('\n')}
`;
  } finally {
    await registry.stop();
    await image.end();
  }
}

function inGigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(0)} GB`;
}
