import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { parseReference } from '../../src/core/reference.ts';
import { createImageSource } from '../../src/registry/image-source.ts';
import { folderWith } from '../support/files.ts';
import { startHttp } from '../support/http.ts';
import { noise } from '../support/images.ts';

it('images of many registries are received by the same two threads', async () => {
  let threads = 0;
  const count = (_: Worker): void => void (threads += 1);
  process.on('worker', count);
  onTestFinished(() => void process.off('worker', count));
  const bytes = noise(2 * 1024 * 1024, 'shared');
  const blob = { digest: digestOf(bytes), size: bytes.byteLength };
  const file = await open(join(await folderWith({}), 'blobs'), 'w+');
  const images = createImageSource({}, {});
  try {
    const received = Array.from({ length: 4 }, async (_, index) => {
      const url = await startHttp((_request, response) => void response.end(bytes));
      const { reader, repository } = images.locate(parseReference(`${new URL(url).host}/app:1`));
      const place = { descriptor: file.fd, offset: index * bytes.byteLength };
      const transfer = await reader.transfer?.(repository, blob, place, new AbortController().signal);
      await transfer?.whole(() => undefined).done;
      return transfer?.content();
    });
    expect(await Promise.all(received)).toEqual(received.map(() => blob));
    expect(threads).toBeGreaterThan(0);
    expect(threads).toBeLessThanOrEqual(2);
  } finally {
    await images.close();
    await file.close();
  }
});
