/** Prints an index.json with one image of another: `pick-image.ts INDEX REFERENCE`. */
import { readFileSync } from 'node:fs';

interface Index {
  readonly manifests: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

const [file = '', reference = ''] = process.argv.slice(2);
const index = JSON.parse(readFileSync(file, 'utf8')) as Index;
const manifests = index.manifests.filter((manifest) => manifest.annotations?.['org.opencontainers.image.ref.name'] === reference);
if (manifests.length !== 1) throw new Error(`${reference}: ${String(manifests.length)} entries`);
process.stdout.write(JSON.stringify({ ...index, manifests }));
