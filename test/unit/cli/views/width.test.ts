import { expect, it } from 'vitest';
import { NO_STYLE } from '../../../../src/cli/style.ts';
import { widthOf } from '../../../../src/cli/text.ts';
import { viewBase } from '../../../../src/cli/views/base.ts';
import { viewRepair, viewResend, viewSplit } from '../../../../src/cli/views/carry.ts';
import { viewDoctor } from '../../../../src/cli/views/doctor.ts';
import { viewInspectDeep } from '../../../../src/cli/views/inspect-deep.ts';
import { viewInstall } from '../../../../src/cli/views/install.ts';
import { viewCerts, viewReset } from '../../../../src/cli/views/kubernetes.ts';
import { viewPack } from '../../../../src/cli/views/pack.ts';
import { objectLines } from '../../../../src/cli/views/plan-objects.ts';
import { viewPush } from '../../../../src/cli/views/push.ts';
import { viewReceipt, viewReceipts } from '../../../../src/cli/views/receipt.ts';
import { viewServe } from '../../../../src/cli/views/serve.ts';
import { viewKeygen, viewSign } from '../../../../src/cli/views/sign.ts';
import { viewCollect, viewFetchPool, viewPublish, viewPublishPool } from '../../../../src/cli/views/store.ts';
import { viewSupport } from '../../../../src/cli/views/support.ts';
import { viewVerify } from '../../../../src/cli/views/verify.ts';
import { viewWatch } from '../../../../src/cli/views/watch.ts';
import { digestOf } from '../../../../src/core/digest.ts';

const screen = { style: NO_STYLE, width: 80 };
const digest = digestOf('x');
const name = 'gatekeeper-and-everything-around-it-for-the-plants-of-the-north';
const host = 'a-worker-in-a-hall-far-away-with-a-long-name';
/** With a space, which is no place to break it. */
const path = `/media/ops/USB DISK 3/${name}/${name}-3.6.2-since-3.6.1.carry`;
const fingerprint = `SHA256:${'Yz3'.repeat(14)}Y`;
const signers = [
  { name: 'release@corp', fingerprint },
  { name: 'security@corp', fingerprint },
];
const signer = { name: 'release@corp', fingerprint };
const release = { name, version: '3.6.2-20251112-abcdef', root: digest };
const carry = {
  folder: path,
  id: digest,
  bundle: path,
  size: 4e9,
  volumes: 4,
  parity: 1,
  volumeSize: 1e9,
  signers,
};
const check = { id: 'disk', title: 'disk', host, outcome: 'fail' as const, found: '1 GB free, 4 GB needed' };
const pack = {
  path,
  size: 4e9,
  release: name,
  version: '3.6.2',
  root: digest,
  outcome: 'unchanged' as const,
  signers,
  signatures: 2,
  fetched: { bytes: 0, nearBytes: 2e9, nearFrom: path },
  base: { name, version: '3.6.1', root: digest, blobs: 38, bytes: 4e9 },
  carry,
} as unknown as Parameters<typeof viewPack>[0];
const receipt = {
  path,
  id: digest,
  outcome: 'unchanged' as const,
  site: host,
  number: 3,
  release,
  signer,
  size: 1400,
  text: '',
  codes: [],
  codeFiles: [],
} as unknown as Parameters<typeof viewReceipt>[0];
const receipts = {
  site: host,
  receipts: [
    { path, id: digest, number: 1, time: '2026-11-12T14:02:11Z', release, signer: { name: '', fingerprint } },
    { path, id: digest, number: 2, time: '2026-11-13T14:02:11Z', release, signer },
  ],
  installed: [release, release],
  before: digest,
} as unknown as Parameters<typeof viewReceipts>[0];

const said: Readonly<Record<string, readonly string[]>> = {
  split: viewSplit(carry, NO_STYLE),
  repair: viewRepair({ folder: path, files: ['suite.v001'], leaves: 3, removed: [`${name}.patch-K7QF-2M9X-04HD-RC`] }, NO_STYLE),
  'repair of a whole one': viewRepair({ folder: path, files: [], leaves: 0, removed: [] }, NO_STYLE),
  resend: viewResend({ path, bundle: path, size: 3e6, leaves: 3 } as never, NO_STYLE),
  pack: viewPack(pack, NO_STYLE),
  delta: viewBase({ name, version: '3.6.1', root: digest, blobs: 38, bytes: 4e9 }, NO_STYLE),
  push: viewPush(
    { taggedImages: 41, presentImages: 3, pushedBytes: 4e9, projectsMade: 4, putReferrers: 0 } as never,
    'harbor.of-the-plant-in-the-north.example:8443',
    NO_STYLE,
  ),
  'push of nothing': viewPush({ taggedImages: 0, presentImages: 3, putReferrers: 4 } as never, `${host}.example`, NO_STYLE),
  receipt: viewReceipt(receipt, NO_STYLE, { text: false, qr: false }),
  'receipt verify': viewReceipts(receipts, NO_STYLE),
  serve: viewServe({ address: `https://${host}.example:5000`, requests: 1234, bytes: 4e9, broken: 3 }, NO_STYLE),
  sign: viewSign(
    { path, release: name, version: '3.6.2', root: digest, signers, outcome: 'taken back', signatures: 2 },
    NO_STYLE,
  ),
  keygen: viewKeygen(
    { name: 'k', fingerprint, privateKey: path, publicKey: `${path}.pub`, line: 'ssh-ed25519', encrypted: false },
    NO_STYLE,
  ),
  publish: viewPublish({ to: `s3://bucket/${name}/${name}`, objects: [], sentBytes: 0, keptBytes: 0 }, NO_STYLE),
  'publish --pool': viewPublishPool({ pool: `s3://bucket/${name}`, release: `${name}/3.6.2`, root: digest } as never, NO_STYLE),
  'fetch --pool': viewFetchPool({ path, size: 4e9, root: digest, outcome: 'unchanged' } as never, NO_STYLE),
  gc: viewCollect({ dryRun: true, markedBlobs: 4000, markedBytes: 4e9, deletedBlobs: 1, deletedBytes: 1 } as never, NO_STYLE),
  verify: viewVerify(
    { path, release: name, version: '3.6.2', root: digest, size: 4e9, signers, blobs: 120, accepted: `a key of ${host}` },
    NO_STYLE,
  ),
  doctor: viewDoctor({ site: host, release, hosts: [host], checks: [check], passed: 12, warned: 0, failed: 1 }, screen),
  'inspect --html': viewInspectDeep(
    { notes: [`${name}: ${'its packages are of a kind that is not read, '.repeat(2)}`] } as never,
    screen,
  ),
  install: viewInstall({ release: name, version: '3.6.2', site: host, changed: 0, urls: [], hostsFile: [] }, screen),
  'certs renew': viewCerts(
    { site: host, hosts: [{ name: host, first: 'apiserver-kubelet-client', daysBefore: 12, daysLeft: 364 }] },
    screen,
  ),
  reset: viewReset(
    {
      host,
      left: true,
      nothing: false,
      back: [],
      notes: [],
      removed: ['/var/lib/etcd', '/var/lib/containerd', '/var/lib/registry', '/srv/app data'],
      stays: [{ path: '/srv/app data', bytes: 4e9, flag: '--app-data /srv/app data' }],
    },
    screen,
  ),
  support: viewSupport(
    { path, size: 1e6, files: 120, redacted: 41, hosts: [{ host, problem: 'it can’t be reached. '.repeat(4) }] } as never,
    screen,
  ),
  watch: viewWatch(
    { folder: path, done: 12, quarantined: 1, waiting: [`${name}.carry: 2 volumes are missing, ${'and '.repeat(12)}`] },
    screen,
  ),
  objects: objectLines(
    [
      {
        ref: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'project', name },
        action: 'change',
        changes: [],
        takenFrom: ['kubectl-client-side-apply', 'helm'],
      },
    ],
    NO_STYLE,
    80,
  ),
};

/** A path or a command is copied: it stays on its line, with nothing but a mark or one word beside it. */
const COPIED = /^ *(?:Next: deliver|tar) |^ *(?:\S )?\S+$/;
const isCopied = (line: string): boolean => COPIED.test(line.replaceAll(path, 'PATH').replace(/(?<=PATH\S*) \S+$/, ''));

it.each(Object.keys(said))('the last lines of %s keep to 80 columns, but for what is copied', (verb) => {
  const long = (said[verb] ?? []).filter((line) => widthOf(line) > 80);
  expect(long.filter((line) => !isCopied(line))).toEqual([]);
  expect((said[verb] ?? []).join('')).not.toContain('\0');
});

it.each(['split', 'repair', 'resend', 'pack', 'receipt', 'verify', 'keygen', 'fetch --pool', 'watch'])(
  'the last lines of %s break no path, and no digest',
  (verb) => {
    const lines = said[verb] ?? [];
    const text = lines.join('\n');
    if (verb !== 'verify') expect(text).toContain(path);
    // A path begins where nothing but a mark, or what is said of it, stands before it; none goes on in a line below.
    expect(lines.filter((line) => /^\s*(?:DISK|3\/)/.test(line))).toEqual([]);
    if (text.includes('sha256:')) expect(text).toContain(digest);
  },
);

it('a path that fits stands beside what is said of it', () => {
  expect(viewResend({ path: '/media/usb/suite.p', bundle: 'suite.tar', size: 3e6, leaves: 3 } as never, NO_STYLE)).toEqual([
    '',
    '✔ /media/usb/suite.p   3 MB, 3 MiB of suite.tar',
    '  Put it beside the volumes; verify, repair and install use it there.',
    '  A repair writes it into the volumes, and removes it.',
  ]);
});

it('the last lines of a repair go on below their first word', () => {
  const lines = viewRepair({ folder: '/srv/inbox/suite', files: [], leaves: 0, removed: [`${name}.patch`] }, NO_STYLE);
  expect(lines).toEqual([
    '',
    '✔ /srv/inbox/suite is whole; no volume was changed.',
    `  ${name}.patch was`,
    '  removed: what it brought is in the volumes now.',
  ]);
});
