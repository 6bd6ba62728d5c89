import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { folderWith } from '../support/files.ts';
import { writeLargeBundle } from '../support/large-bundle.ts';
import { bySize } from '../support/size.ts';

const DEV = new URL('../../bin/dev.js', import.meta.url).pathname;
/** Says at the end how much memory the whole process had at most, in KB. */
const SAY_MEMORY = `--import=data:text/javascript,${encodeURIComponent(
  "process.on('exit',()=>console.error('memory '+process.resourceUsage().maxRSS))",
)}`;

function packages(count: number): string {
  const one = (at: number): string =>
    [
      `Package: a-package-with-a-long-name-${String(at)}`,
      'Status: install ok installed',
      'Architecture: amd64',
      `Version: 1.2.3-${String(at)}+deb12u1`,
      `Description: number ${String(at)}`,
      ...Array.from({ length: 30 }, () => ' and a long text about what it does, in many lines'),
    ].join('\n');
  return `${Array.from({ length: count }, (_, at) => one(at)).join('\n\n')}\n`;
}

it(
  'reads layers of any size in bounded memory, to the database at their end, and leaves bombs alone',
  { timeout: 240_000 },
  async () => {
    const folder = await folderWith();
    const bomb = { filler: 700, noise: false, files: { 'lib/apk/db/installed': 'P:hidden\nV:1\n\n' } } as const;
    await writeLargeBundle(join(folder, 'suite.tar'), [
      {
        name: 'large',
        packing: 'stored',
        filler: bySize(400, 1100),
        noise: true,
        files: { 'var/lib/dpkg/status': packages(3000) },
      },
      { name: 'gzip-bomb', packing: 'gzip', ...bomb },
      { name: 'zstd-bomb', packing: 'zstd', ...bomb },
    ]);
    const run = await execa(process.execPath, [SAY_MEMORY, DEV, 'inspect', 'suite.tar', '--sbom', 'sbom.json'], {
      cwd: folder,
      reject: false,
      stdin: 'ignore',
      timeout: 120_000,
    });
    expect(run.exitCode).toBe(0);
    const said = run.stdout.replace(/\s+/g, ' ');
    for (const name of ['gzip-bomb', 'zstd-bomb'])
      expect(said).toMatch(
        new RegExp(`${name}:1: layer sha256:[0-9a-f]{64} was not read to its end: .*decompression bomb, not read on`),
      );
    const sbom = await readFile(join(folder, 'sbom.json'), 'utf8');
    expect(sbom.match(/pkg:deb\/debian\/a-package-with-a-long-name-/g)?.length).toBe(2 * 3000);
    expect(sbom).not.toContain('hidden');
    const memory = Number(/memory (\d+)/.exec(run.stderr)?.[1]) * 1024;
    expect(memory).toBeGreaterThan(0);
    expect(memory).toBeLessThan(200_000_000);
  },
);
