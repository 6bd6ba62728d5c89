import { expect, it } from 'vitest';
import { DeliverError } from '../../../src/core/errors.ts';
import type { NeededComponent } from '../../../src/lock/component-files.ts';
import { versionsNear } from '../../../src/lock/component-near.ts';
import type { FileSource } from '../../../src/store/port.ts';

/** Every file is this text, in pieces that lie in the same memory one after the other, as files from servers do. */
function served(text: string): FileSource {
  return {
    measure: () => Promise.reject(new DeliverError('E_SOURCE_NOT_FOUND', { what: 'not there' })),
    open: async () =>
      (async function* () {
        const memory = Buffer.alloc(16);
        for (let at = 0; at < text.length; at += 16) yield memory.subarray(0, memory.write(text.slice(at, at + 16), 'latin1'));
      })(),
  };
}

it('the versions that a folder lists are read right however long the list is', async () => {
  const versions = ['v1.2.0', 'v1.3.0', 'v1.3.1', 'v1.5.0'];
  const page = versions.map((version) => `<a href="${version}/">${version}/</a> 2026-01-01\n`).join('');
  const needed: NeededComponent = {
    name: 'components/crictl/linux-amd64',
    title: 'crictl.tgz',
    source: 'https://mirror.example/crictl/v1.4.0/crictl-v1.4.0.tgz',
    neededBy: 'kubernetes.components',
    component: { name: 'crictl', version: 'v1.4.0', platform: 'linux/amd64' },
  };
  expect(await versionsNear(needed, served(page))).toBe('Near it there is v1.3.0, v1.3.1, v1.5.0.');
});
