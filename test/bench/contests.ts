import { execFileSync } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HOST, MEMORY, releaseText, type Contest, type Entry, type Setting } from './contest.ts';
import { pickImages } from './pick-image.ts';
import { writeSparseBundle } from './sparse-bundle.ts';

const CRANE_PULL = 'crane pull --format=oci, tar';
const SKOPEO_PULL = 'skopeo copy, image by image, tar';
const CRANE_PUSH = 'tar -x, crane push, image by image';
const SKOPEO_PUSH = 'tar -x, skopeo copy, image by image';

/** From a registry to one archive. */
export function packContest(setting: Setting): Contest {
  const { bundle } = setting;
  const limit: Entry = {
    name: 'limit: read + sha256 + write, one thread',
    command: (work) => `${limitCommand()} ${bundle} ${work}/out.tar`,
    archive: 'out.tar',
  };
  return {
    title: 'From a registry to one archive',
    ours: 'deliver pack',
    entries: [limit, ...packEntries(setting)],
    aims: [
      { row: CRANE_PULL, figure: 'ratio', least: 1.5 },
      { row: SKOPEO_PULL, figure: 'ratio', least: 2.8 },
      { row: 'deliver pack', figure: 'memory', most: MEMORY },
    ],
  };
}

/** Ours first: the others may be left out of later rounds. */
export function packEntries({ tools, release, upstream, references }: Setting): Entry[] {
  const sources = references.map((reference) => `${upstream}/${reference}`).join(' ');
  const skopeo = `skopeo copy -q --insecure-policy --src-tls-verify=false docker://${upstream}/$i oci:$w/oci:$i`;
  return [
    {
      name: 'deliver pack',
      command: (work) => `${tools.deliver} pack ${release} --output ${work}`,
      archive: path.basename(release).replace('.yaml', '-1.tar'),
    },
    {
      name: CRANE_PULL,
      command: (work) =>
        `${tools.crane} pull --insecure --format=oci ${sources} ${work}/oci; tar -cf ${work}/out.tar -C ${work}/oci .`,
      archive: 'out.tar',
    },
    {
      name: SKOPEO_PULL,
      command: (work) => `w=${work}; for i in ${references.join(' ')}; do ${skopeo}; done; tar -cf $w/out.tar -C $w/oci .`,
      archive: 'out.tar',
    },
  ];
}

/** From the archive into an empty registry. */
export function pushContest(setting: Setting): Contest {
  return {
    title: 'From the archive into an empty registry',
    ours: 'deliver push',
    registry: true,
    entries: pushEntries(setting),
    aims: [
      { row: CRANE_PUSH, figure: 'ratio', least: 1.2 },
      { row: SKOPEO_PUSH, figure: 'ratio', least: 2 },
      { row: 'deliver push', figure: 'memory', most: MEMORY },
    ],
  };
}

export function pushEntries({ tools, bundle, references }: Setting): Entry[] {
  const names = references.map((reference) => `${HOST}/${reference}`);
  const unpack = (work: string): string => `mkdir ${work}/all; tar -xf ${bundle} -C ${work}/all`;
  return [
    { name: 'deliver push', command: (_work, host) => `${tools.deliver} push ${bundle} --to ${host} --allow-unsigned` },
    {
      name: CRANE_PUSH,
      // crane pushes one image per layout: small folders that share the blobs, made before.
      prepare: (work) => pickImages(bundle, names, work),
      command: (work, host) =>
        [
          unpack(work),
          ...names.map((name, at) => `${tools.crane} push --insecure ${work}/one-${String(at)} ${host}/${name}`),
        ].join('; '),
    },
    {
      name: SKOPEO_PUSH,
      command: (work, host) =>
        `${unpack(work)}; for r in ${names.join(' ')}; do skopeo copy -q --insecure-policy --dest-tls-verify=false oci:${work}/all:$r docker://${host}/$r; done`,
    },
  ];
}

const SUMS = 'sha256sum of the unpacked blobs, one process per core';

/** Reading and hashing alone. */
export function verifyContest({ tools, bundle, cores }: Setting): Contest {
  const prepare = async (work: string): Promise<void> => {
    execFileSync('tar', ['-xf', bundle, '-C', work]);
  };
  const folder = (work: string): string => `${work}/blobs/sha256`;
  return {
    title: 'Verify',
    ours: 'deliver verify',
    entries: [
      { name: 'deliver verify', command: () => `${tools.deliver} verify ${bundle} --allow-unsigned` },
      { name: SUMS, prepare, command: (work) => hashEach(folder(work), 'sha256sum', cores) },
      {
        name: 'openssl dgst -sha256, the same',
        prepare,
        command: (work) => hashEach(folder(work), 'openssl dgst -sha256', cores),
      },
    ],
    aims: [
      { row: SUMS, figure: 'ratio', least: 0.9 },
      { row: 'deliver verify', figure: 'memory', most: MEMORY },
    ],
  };
}

/** Bytes, at least, of the bundle that is looked at; its layers are holes. */
const INSPECTED = 20e9;

/** What is over before anybody waits. */
export async function quickContest({ tools, release: large, bundle, folder }: Setting): Promise<Contest> {
  const release = path.join(folder, 'tiny.yaml');
  await writeFile(path.join(folder, 'tiny.txt'), 'tiny\n');
  await writeFile(release, releaseText('tiny', `mirror: "127.0.0.1:9"`, [], 'files: [ { name: tiny, path: ./tiny.txt } ]\n'));
  for (const words of [`resolve ${release}`, `pack ${release} --output ${folder}`])
    execFileSync('sh', ['-ec', `${tools.deliver} ${words}`], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 60_000 });
  const sparse = path.join(folder, 'sparse.tar');
  const { size } = await stat(bundle);
  await writeSparseBundle(large.replace(/yaml$/, 'lock.yaml'), (1.02 * INSPECTED) / size, sparse);
  const inspect = `deliver inspect of ${(INSPECTED / 1e9).toFixed(0)} GB`;
  const entries: Entry[] = [
    { name: 'deliver --version', command: () => `${tools.deliver} --version` },
    { name: 'deliver pack, one file of 5 bytes', command: (work) => `${tools.deliver} pack ${release} --output ${work}` },
    { name: 'deliver verify of that', command: () => `${tools.deliver} verify ${folder}/tiny-1.tar --allow-unsigned` },
    { name: inspect, command: () => `${tools.deliver} inspect ${sparse}` },
  ];
  return {
    title: 'Quick ones',
    ours: 'deliver --version',
    entries,
    aims: [
      { row: 'deliver --version', figure: 'wall', most: 0.12 },
      { row: inspect, figure: 'wall', most: 1 },
    ],
  };
}

/** Every file of a folder, the largest first, so that no core is left alone with it at the end. */
export function hashEach(folder: string, program: string, cores: number): string {
  return `cd ${folder}; ls -S | xargs -P ${String(cores)} -n 1 ${program}`;
}

/** The least work that any packer must do. */
export function limitCommand(): string {
  return `${process.execPath} ${path.join(import.meta.dirname, 'limit.ts')}`;
}

/** Parity of so many bytes, held to one core. */
export function encodeCommand(bytes: number): string {
  return `taskset -c 0 ${process.execPath} ${path.join(import.meta.dirname, 'encode.ts')} ${String(bytes)}`;
}
