import { readFileSync } from 'node:fs';
import { planBundle } from '../../src/bundle/plan.ts';
import { writeBundle } from '../../src/bundle/write-bundle.ts';
import { blobOrigins } from '../../src/flows/blob-origins.ts';
import { LockSchema } from '../../src/lock/lock-schema.ts';
import { createImageSource } from '../../src/registry/image-source.ts';
import { createFileSource } from '../../src/store/file-source.ts';

// A pack from a registry in a process of its own, for tests that kill it. Arguments: the target; a file with the lock as JSON;
// the registry that is asked instead of upstream.example.
const [, , target = '', lockPath = '', mirror = ''] = process.argv;
const lock = LockSchema.parse(JSON.parse(readFileSync(lockPath, 'utf8')));
const images = createImageSource({ registries: { 'upstream.example': { mirror } } }, {}, '/');
await writeBundle(planBundle(lock, []), target, blobOrigins(lock, { images, files: createFileSource(), folder: '/' }));
process.exit(0);
