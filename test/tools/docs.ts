// `npm run docs`: writes every generated page. test/unit/house/docs.test.ts fails when one is stale.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generatedDocs } from './docs/generated.ts';

const root = join(import.meta.dirname, '../..');
for (const { path, content } of generatedDocs()) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
  console.log(path);
}
