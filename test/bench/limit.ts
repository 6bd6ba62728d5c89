/** The least work that any packer must do: read the bytes, hash them, write them. `limit.ts FROM TO` */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const [from = '', to = ''] = process.argv.slice(2);
const input = openSync(from, 'r');
const output = openSync(to, 'w');
const buffer = Buffer.alloc(1024 * 1024);
const hash = createHash('sha256');
for (let read = readSync(input, buffer); read > 0; read = readSync(input, buffer)) {
  const chunk = buffer.subarray(0, read);
  hash.update(chunk);
  writeSync(output, chunk);
}
closeSync(input);
closeSync(output);
process.stdout.write(`${hash.digest('hex')}\n`);
