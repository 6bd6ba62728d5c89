import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { releaseText, type Setting } from './contest.ts';
import { fill, startRegistry } from './registry.ts';
import type { Tools } from './setup.ts';

interface Place {
  readonly tools: Tools;
  readonly cores: number;
  readonly folder: string;
}

/** The corpus at a scale in a registry that is filled once per machine, with a release of it and its bundle. */
export async function openCorpus(
  { tools, cores, folder }: Place,
  name: string,
  scale: number,
): Promise<{ setting: Setting; end: () => Promise<void> }> {
  const storage = path.join(tools.cache, `bench-corpus-1-${String(scale)}`, 'storage');
  await mkdir(path.dirname(storage), { recursive: true });
  const registry = await startRegistry(storage);
  try {
    const references = await fill(registry.host, scale);
    const release = path.join(folder, `${name}.yaml`);
    await writeFile(release, releaseText(name, `mirror: "${registry.host}"`, references));
    for (const words of [`resolve ${release}`, `pack ${release} --output ${folder}`])
      execFileSync('sh', ['-ec', `${tools.deliver} ${words}`], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 });
    const bundle = path.join(folder, `${name}-1.tar`);
    const setting = { tools, cores, folder, release, bundle, storage, references, upstream: registry.host };
    return { setting, end: () => registry.stop() };
  } catch (error) {
    await registry.stop();
    throw error;
  }
}
