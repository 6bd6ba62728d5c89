import { execFileSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pickImages } from './pick-image.ts';
import { startRegistry, type RealRegistry } from './registry.ts';
import type { Tools } from './setup.ts';

interface Entry {
  readonly name: string;
  /** Not counted; made in the fresh target. */
  readonly prepare?: (work: string) => Promise<void>;
  /** @param registry host of the fresh registry, empty where the contest has none */
  readonly command: (work: string, registry: string) => string;
  /** The file that the command makes and whose size is no extra; absent when it makes none. */
  readonly archive?: string;
}

export interface Contest {
  readonly title: string;
  /** The row of ours. */
  readonly ours: string;
  readonly entries: readonly Entry[];
  /** Whether each run gets an empty registry. */
  readonly registry: boolean;
}

interface Setting {
  readonly tools: Tools;
  readonly release: string;
  /** A bundle of the release, packed before. */
  readonly bundle: string;
  readonly upstream: string;
  /** `bench/image-00:v1` … */
  readonly references: readonly string[];
  readonly cores: number;
}

export const HOST = 'bench.example';

/** From a registry to one archive. */
export function packContest({ tools, release, bundle, upstream, references }: Setting): Contest {
  const sources = references.map((reference) => `${upstream}/${reference}`).join(' ');
  const skopeo = `skopeo copy -q --insecure-policy --src-tls-verify=false docker://${upstream}/$i oci:$w/oci:$i`;
  const archived = (name: string, command: (work: string) => string): Entry => ({ name, command, archive: 'out.tar' });
  return {
    title: 'From a registry to one archive',
    ours: 'deliver pack',
    registry: false,
    entries: [
      archived('limit: read + sha256 + write, one thread', (work) => `${limit()} ${bundle} ${work}/out.tar`),
      { name: 'deliver pack', command: (work) => `${tools.deliver} pack ${release} --output ${work}`, archive: 'bench-1.tar' },
      archived(
        'crane pull --format=oci, tar',
        (work) => `${tools.crane} pull --insecure --format=oci ${sources} ${work}/oci; tar -cf ${work}/out.tar -C ${work}/oci .`,
      ),
      archived(
        'skopeo copy, image by image, tar',
        (work) => `w=${work}; for i in ${references.join(' ')}; do ${skopeo}; done; tar -cf $w/out.tar -C $w/oci .`,
      ),
    ],
  };
}

/** From the archive into an empty registry. */
export function pushContest({ tools, bundle, references }: Setting): Contest {
  const names = references.map((reference) => `${HOST}/${reference}`);
  const unpack = (work: string): string => `mkdir ${work}/all; tar -xf ${bundle} -C ${work}/all`;
  return {
    title: 'From the archive into an empty registry',
    ours: 'deliver push',
    registry: true,
    entries: [
      { name: 'deliver push', command: (_work, host) => `${tools.deliver} push ${bundle} --to ${host} --allow-unsigned` },
      {
        name: 'tar -x, crane push, image by image',
        // crane pushes one image per layout: small folders that share the blobs, made before.
        prepare: (work) => pickImages(bundle, names, work),
        command: (work, host) =>
          [
            unpack(work),
            ...names.map((name, at) => `${tools.crane} push --insecure ${work}/one-${String(at)} ${host}/${name}`),
          ].join('; '),
      },
      {
        name: 'tar -x, skopeo copy, image by image',
        command: (work, host) =>
          `${unpack(work)}; for r in ${names.join(' ')}; do skopeo copy -q --insecure-policy --dest-tls-verify=false oci:${work}/all:$r docker://${host}/$r; done`,
      },
    ],
  };
}

/** Reading and hashing alone. */
export function verifyContest({ tools, bundle, cores }: Setting): Contest {
  const prepare = async (work: string): Promise<void> => {
    execFileSync('tar', ['-xf', bundle, '-C', work]);
  };
  // The largest first, so that no core is left alone with it at the end.
  const each = (work: string, program: string): string =>
    `cd ${work}/blobs/sha256; ls -S | xargs -P ${String(cores)} -n 1 ${program}`;
  return {
    title: 'Verify',
    ours: 'deliver verify',
    registry: false,
    entries: [
      { name: 'deliver verify', command: () => `${tools.deliver} verify ${bundle} --allow-unsigned` },
      { name: 'sha256sum of the unpacked blobs, one process per core', prepare, command: (work) => each(work, 'sha256sum') },
      { name: 'openssl dgst -sha256, the same', prepare, command: (work) => each(work, 'openssl dgst -sha256') },
    ],
  };
}

/** What is over before anybody waits. */
export function quickContest({ tools, bundle }: Setting): Contest {
  return {
    title: 'Quick ones',
    ours: 'deliver --version',
    registry: false,
    entries: [
      { name: 'deliver --version', command: () => `${tools.deliver} --version` },
      { name: 'deliver inspect', command: () => `${tools.deliver} inspect ${bundle}` },
    ],
  };
}

/** A fresh place for one run: an empty folder and, where the contest wants one, an empty registry. */
export async function freshTarget(
  contest: Contest,
  folder: string,
): Promise<{ work: string; host: string; end: () => Promise<void> }> {
  const work = path.join(folder, 'work');
  const storage = path.join(folder, 'target');
  const clear = async (): Promise<void> => {
    await rm(work, { recursive: true, force: true });
    await rm(storage, { recursive: true, force: true });
  };
  await clear();
  await mkdir(work);
  const registry: RealRegistry | undefined = contest.registry ? await startRegistry(storage) : undefined;
  return {
    work,
    host: registry?.host ?? '',
    end: async () => {
      await registry?.stop();
      await clear();
    },
  };
}

function limit(): string {
  return `${process.execPath} ${path.join(import.meta.dirname, 'limit.ts')}`;
}
