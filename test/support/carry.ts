import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planBundle } from '../../src/bundle/plan.ts';
import { SILENT, type Flow } from '../../src/core/report.ts';
import { splitFlow, type SplitInput } from '../../src/flows/split.ts';
import { Secret } from '../../src/core/secret.ts';
import { bundleBytes, noisyRelease, type TestRelease } from './bundles.ts';

export const MIB = 1024 * 1024;

/** Runs a flow to its end; notes are kept. */
export async function run<Result>(flow: Flow<Result>, notes: string[] = []): Promise<Result> {
  const report = { ...SILENT, note: (line: string) => notes.push(line) };
  for (const step of flow.steps) await step.run(report, new AbortController().signal);
  return flow.result();
}

/** What `bundleFile` holds. */
export function noisyBundle(): TestRelease {
  return noisyRelease(1_900_000, 6);
}

/** A bundle of about 11 MiB that nothing compresses, in a folder of its own; whoever asks removes it. */
export async function bundleFile(): Promise<{ readonly folder: string; readonly path: string; readonly bytes: Buffer }> {
  const folder = await mkdtemp(join(tmpdir(), 'deliver-carry-'));
  const { lock, content } = noisyBundle();
  const bytes = bundleBytes(planBundle(lock, []), content);
  const path = join(folder, 'noise-1.0.tar');
  await writeFile(path, bytes);
  return { folder, path, bytes };
}

/** A carry set of volumes of 3 MiB and two for parity, unless asked for otherwise. @returns its folder */
export async function splitBundle(bundlePath: string, more: Partial<SplitInput> = {}): Promise<string> {
  const input = { bundlePath, volumeSize: 3 * MIB, parity: 2, names: 'plain' as const, ...more };
  const { folder } = await run(splitFlow(input, { askPassphrase: async () => new Secret('') }));
  return folder;
}
