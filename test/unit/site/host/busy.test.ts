import { expect, it } from 'vitest';
import { lookAt } from '../../../../src/site/host/apply.ts';
import { emptyWish } from '../../../../src/site/host/wish.ts';
import type { HostConnection } from '../../../../src/ssh/port.ts';

it('a host on which another deliver is at work says so, and not that its shell is wrong', async () => {
  const run = () =>
    Promise.resolve({ code: 75, stdout: 'system=Linux\nfail=another deliver still works on this host\n', stderr: '' });
  const connection = { host: { name: 'w1', address: '10.0.0.1' }, run } as unknown as HostConnection;
  await expect(lookAt(connection, emptyWish('w1'))).rejects.toMatchObject({
    code: 'E_HOST',
    facts: { why: 'another deliver still works on this host', fix: expect.stringContaining('Wait') as string },
  });
});
