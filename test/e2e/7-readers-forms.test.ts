import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { smallRelease } from '../support/bundles.ts';
import { folderWith } from '../support/files.ts';
import { serveRelease } from '../support/serve.ts';
import { noReader, READERS, type Form, type Forms, type Wanted } from './support/readers.ts';

// Every cell of the table in docs/readers.md. Needs the programs of the lab, not its hosts; what is not there is skipped.
const FORMS: readonly Form[] = ['tar', 'folder', 'serve'];
const DOC = readFileSync(new URL('../../docs/readers.md', import.meta.url), 'utf8');

/** What the page says of a tool, by form. */
function claimed(tool: string): readonly boolean[] {
  const cells = new RegExp(`^\\| \`${tool}\` \\|(.*)\\|$`, 'm').exec(DOC)?.[1]?.split('|') ?? [];
  return cells.slice(1, 4).map((cell) => cell.includes('✔'));
}

async function bundleInAllForms(): Promise<{ readonly at: Forms; readonly wanted: Wanted; readonly work: string }> {
  const release = smallRelease();
  const { path, url } = await serveRelease(release, { signatures: ['one'] });
  const work = await folderWith();
  const folder = join(work, 'layout');
  await mkdir(folder);
  await execa('tar', ['-xf', path, '-C', folder, '--no-same-owner']);
  const [image] = release.lock.images;
  if (image === undefined) throw new Error('the release has no image');
  return { at: { tar: path, folder, serve: new URL(url).host }, wanted: image, work };
}

describe.each(READERS)('$name', (reader) => {
  const why = noReader(reader);
  it.skipIf(why !== undefined).each(FORMS)(
    `reads the form %s as docs/readers.md says${why === undefined ? '' : ` (skipped: ${why})`}`,
    async (form) => {
      const { at, wanted, work } = await bundleInAllForms();
      const taken = await reader.take(form, at, wanted, work).catch((error: unknown) => String(error));
      if (claimed(reader.name)[FORMS.indexOf(form)] === true) expect(taken).toBe(wanted.digest);
      else expect(taken).not.toBe(wanted.digest);
    },
  );
});

it('says in the page what every reader takes, one row each', () => {
  for (const { name } of READERS) expect(claimed(name), name).toHaveLength(3);
});

it('names every image for containerd as well as for OCI tools', async () => {
  const { at, wanted } = await bundleInAllForms();
  const index = JSON.parse(readFileSync(join(at.folder, 'index.json'), 'utf8')) as {
    manifests: { digest: string; annotations?: Record<string, string> }[];
  };
  expect(index.manifests.find(({ digest }) => digest === wanted.digest)?.annotations).toEqual({
    'io.containerd.image.name': wanted.reference,
    'org.opencontainers.image.ref.name': wanted.reference,
  });
});
