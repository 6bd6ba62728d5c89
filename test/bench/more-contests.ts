import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { BUCKET, noMinio, startMinio, type Minio } from '../support/minio.ts';
import { MEMORY, releaseText, type Contest, type Setting } from './contest.ts';
import { encodeCommand, hashEach, limitCommand, packEntries, pushEntries } from './contests.ts';
import { startRegistry } from './registry.ts';
import { LATENCY, RATE, type SlowLink } from './slow-link.ts';

const NOTE = `Through toxiproxy: every answer ${String(LATENCY)} ms later, ${String(RATE)} MB/s per connection in each direction; a quarter of the corpus.`;

/** A long way with a limit per connection: what counts is how much is in flight. */
export function slowPackContest(setting: Setting): Contest {
  const entries = packEntries(setting).map((entry, at) => (at === 0 ? { ...entry, rounds: 3 } : { ...entry, rounds: 1 }));
  return { title: 'Pack over a slow link', ours: 'deliver pack', note: NOTE, entries, aims: threeTimes('deliver pack', entries) };
}

export function slowPushContest(setting: Setting, link: SlowLink): Contest {
  const entries = pushEntries(setting).map((entry, at) => (at === 0 ? { ...entry, rounds: 3 } : { ...entry, rounds: 1 }));
  const aims = threeTimes('deliver push', entries);
  return { title: 'Push over a slow link', ours: 'deliver push', note: NOTE, registry: true, link, entries, aims };
}

function threeTimes(ours: string, [, ...others]: readonly { readonly name: string }[]): Contest['aims'] {
  return [
    ...others.map(({ name }) => ({ row: name, figure: 'ratio' as const, least: 3 })),
    { row: ours, figure: 'memory', most: MEMORY },
  ];
}

const FIRST = 'deliver pack, nothing local';

/** A release of which an earlier bundle in reach has nine tenths. @param where what the title says of the way */
export async function againContest(setting: Setting, where = ''): Promise<Contest> {
  const { tools, release, bundle, upstream, references, folder } = setting;
  // Image 18 alone has a layer of a tenth of the corpus.
  const earlier = path.join(folder, 'earlier.yaml');
  const without = references.filter((reference) => !reference.includes('image-18'));
  await writeFile(earlier, releaseText('earlier', `mirror: "${upstream}"`, without));
  for (const words of [`resolve ${earlier}`, `pack ${earlier} --output ${folder}/earlier`])
    execFileSync('sh', ['-ec', `${tools.deliver} ${words}`], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 });
  const pack = (work: string): string => `${tools.deliver} pack ${release} --output ${work}`;
  const ours = 'deliver pack, nine tenths in an earlier bundle';
  const archive = path.basename(bundle);
  return {
    title: `The next release${where}`,
    ours,
    note: 'Every shared blob is read, hashed and written; where files cannot share blocks, `cp` is the floor.',
    entries: [
      { name: ours, command: (work) => `${pack(work)} --reuse ${folder}/earlier/earlier-1.tar`, archive },
      { name: FIRST, command: pack, archive },
      { name: 'cp, the same bytes', command: (work) => `cp --reflink=auto ${bundle} ${work}/copy.tar`, archive: 'copy.tar' },
    ],
    aims: [{ row: FIRST, figure: 'ratio', least: 5 }],
    end: async () => {
      execFileSync('rm', ['-rf', `${folder}/earlier`]);
    },
  };
}

const VOLUMES = '--volume-size 100M --parity 4';
const LIMIT = 'limit: read + sha256 + write, one thread';
const ENCODED = 2e9;
const ENCODE = 'encode 2 GB to 20 + 4 in memory, one core';
const SUMS = 'sha256sum of the volumes, one process per core';

/** Cutting a bundle into volumes with parity. */
export function splitContest({ tools, bundle }: Setting): Contest {
  const ours = `deliver split ${VOLUMES}`;
  return {
    title: 'Volumes with parity',
    ours,
    note: 'The limit writes the bytes once and no parity.',
    entries: [
      { name: ours, command: (work) => `${tools.deliver} split ${bundle} ${VOLUMES} --output ${work}/set` },
      { name: LIMIT, command: (work) => `${limitCommand()} ${bundle} ${work}/out.tar` },
      { name: ENCODE, command: () => encodeCommand(ENCODED) },
    ],
    aims: [
      { row: ours, figure: 'memory', most: MEMORY },
      { row: ENCODE, figure: 'wall', most: ENCODED / 1e9 },
    ],
  };
}

/** Reading and hashing a folder of volumes. */
export function verifyFolderContest({ tools, bundle, folder, cores }: Setting): Contest {
  const set = path.join(folder, 'set');
  execFileSync('sh', ['-ec', `${tools.deliver} split ${bundle} ${VOLUMES} --output ${set}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ours = 'deliver verify FOLDER';
  return {
    title: 'Verify a carry set',
    ours,
    entries: [
      { name: ours, command: () => `${tools.deliver} verify ${set} --allow-unsigned` },
      { name: SUMS, command: () => hashEach(set, 'sha256sum', cores) },
    ],
    aims: [
      { row: SUMS, figure: 'ratio', least: 0.9 },
      { row: ours, figure: 'memory', most: MEMORY },
    ],
    end: async () => {
      execFileSync('rm', ['-rf', set]);
    },
  };
}

/** To a bucket and back. */
export async function bucketContest({ tools, bundle }: Setting): Promise<Contest> {
  if (noMinio !== undefined) throw new Error(noMinio);
  const minio = await startMinio();
  const env = Object.entries(minio.env)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
  const to = `s3://${BUCKET}/bench/`;
  const publish = (): string => `${env} ${tools.deliver} publish ${bundle} ${to}`;
  const name = path.basename(bundle);
  return {
    title: 'A bucket',
    ours: 'deliver publish',
    note: 'A real MinIO on the same cores.',
    entries: [
      { name: 'deliver publish', prepare: () => emptied(minio), command: publish },
      { name: 'deliver fetch', command: (work) => `${env} ${tools.deliver} fetch ${to}${name} ${work}`, archive: name },
    ],
    aims: ['deliver publish', 'deliver fetch'].map((row) => ({ row, figure: 'memory' as const, most: MEMORY })),
    end: () => minio.stop(),
  };
}

/** The same pack from a registry that speaks TLS. */
export async function tlsContest(setting: Setting): Promise<Contest> {
  const { folder, storage, references } = setting;
  const [key, certificate] = [path.join(folder, 'tls.key'), path.join(folder, 'tls.crt')];
  const subject = ['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', ...subject, ...files],
    { stdio: 'ignore' },
  );
  const registry = await startRegistry(storage, { key, certificate });
  const release = path.join(folder, 'tls.yaml');
  await writeFile(release, releaseText('tls', `mirror: "${registry.host}", plainHttp: false, ca: ${certificate}`, references));
  execFileSync('sh', ['-ec', `${setting.tools.deliver} resolve ${release}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [ours, crane] = packEntries({ ...setting, release, upstream: registry.host });
  const entries = [ours, crane].filter((entry) => entry !== undefined);
  return {
    title: 'From a registry that speaks TLS',
    ours: 'deliver pack',
    entries,
    aims: [{ row: 'deliver pack', figure: 'memory', most: MEMORY }],
    end: () => registry.stop(),
  };
}

/** So that every publish has all to do. */
async function emptied({ client }: Minio): Promise<void> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  const Objects = Contents.map(({ Key }) => ({ Key }));
  if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
}
