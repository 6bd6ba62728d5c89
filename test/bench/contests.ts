import { execFileSync } from 'node:child_process';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startRegistry, type RealRegistry } from './registry.ts';

interface Entry {
  readonly name: string;
  /** Not counted. */
  readonly prepare?: (target: string) => string;
  readonly command: (target: string) => string;
  /** The file that the command makes; absent when it makes none. */
  readonly archive?: (target: string) => string;
}

export interface Contest {
  readonly entries: readonly Entry[];
  /** A fresh target: a work folder (pack) or an empty registry's host (push). */
  readonly before: (folder: string) => Promise<string>;
  readonly after: () => Promise<void>;
  /** MB that the target itself takes when it is no archive (a registry's storage). */
  readonly product: number;
}

interface Setting {
  readonly folder: string;
  readonly upstream: string;
  readonly references: readonly string[];
  readonly repository: string;
  readonly cache: string;
}

/** Both contests; makes the lock and one bundle first, which the push contest reads. */
export async function commands(setting: Setting): Promise<{ pack: Contest; push: Contest; size: number }> {
  const { folder, upstream, references, repository, cache } = setting;
  const deliver = `${path.join(repository, 'node_modules/.bin/node')} ${path.join(repository, 'bin/run.js')}`;
  const crane = `${path.join(cache, 'bin/crane')}`;
  const release = path.join(folder, 'bench.yaml');
  await writeFile(release, releaseText(upstream, references));
  execFileSync('sh', ['-ec', `${deliver} resolve ${release}`], { stdio: 'ignore' });
  execFileSync('sh', ['-ec', `${deliver} pack ${release} --output ${folder}`], { stdio: 'ignore' });
  const bundle = path.join(folder, 'bench-1.tar');
  const size = (await stat(bundle)).size;
  return { size, pack: packContest({ deliver, crane, release, upstream, references, bundle }), push: pushContest({ deliver, crane, bundle, references, folder, size }) };
}

function packContest(tools: { deliver: string; crane: string; release: string; upstream: string; references: readonly string[]; bundle: string }): Contest {
  const sources = tools.references.map((reference) => `${tools.upstream}/${reference}`);
  let work = '';
  return {
    product: 0,
    before: async (folder) => {
      work = path.join(folder, 'work');
      await rm(work, { recursive: true, force: true });
      await mkdir(work);
      return work;
    },
    after: () => rm(work, { recursive: true, force: true }),
    entries: [
      { name: 'limit: read + sha256 + write', command: (dir) => `${limitProgram()} ${tools.bundle} ${dir}/copy`, archive: (dir) => `${dir}/copy` },
      { name: 'deliver pack', command: (dir) => `${tools.deliver} pack ${tools.release} --output ${dir}`, archive: (dir) => `${dir}/bench-1.tar` },
      {
        name: 'crane pull --format=oci + tar',
        command: (dir) => `${tools.crane} pull --insecure --format=oci ${sources.join(' ')} ${dir}/oci; tar -cf ${dir}/out.tar -C ${dir}/oci .`,
        archive: (dir) => `${dir}/out.tar`,
      },
      {
        name: 'skopeo copy (image by image) + tar',
        command: (dir) =>
          `for i in ${tools.references.join(' ')}; do skopeo copy -q --insecure-policy --src-tls-verify=false docker://${tools.upstream}/$i oci:${dir}/oci:$i; done; tar -cf ${dir}/out.tar -C ${dir}/oci .`,
        archive: (dir) => `${dir}/out.tar`,
      },
    ],
  };
}

function pushContest(tools: { deliver: string; crane: string; bundle: string; references: readonly string[]; folder: string; size: number }): Contest {
  let registry: RealRegistry | undefined;
  const storage = path.join(tools.folder, 'target');
  const work = path.join(tools.folder, 'work');
  const names = tools.references.map((reference) => `bench.example/${reference}`);
  // crane pushes one image per layout: the blobs are linked, one index.json each.
  const crane = (host: string): string =>
    `mkdir -p ${work}/all; tar -xf ${tools.bundle} -C ${work}/all; for r in ${names.join(' ')}; do d=${work}/one; rm -rf $d; mkdir $d; ln -s ../all/blobs $d/blobs; cp ${work}/all/oci-layout $d/; ${pick()} ${work}/all/index.json $r > $d/index.json; ${tools.crane} push --insecure $d ${host}/$r; done`;
  return {
    product: tools.size / 1e6,
    before: async () => {
      await rm(storage, { recursive: true, force: true });
      await rm(work, { recursive: true, force: true });
      registry = await startRegistry(storage);
      return registry.host;
    },
    after: async () => {
      await registry?.stop();
      await rm(storage, { recursive: true, force: true });
      await rm(work, { recursive: true, force: true });
    },
    entries: [
      { name: 'deliver push', command: (host) => `${tools.deliver} push ${tools.bundle} --to ${host} --allow-unsigned` },
      { name: 'crane: untar + push', command: crane },
      {
        name: 'skopeo: untar + copy (image by image)',
        command: (host) =>
          `mkdir -p ${work}/all; tar -xf ${tools.bundle} -C ${work}/all; for r in ${names.join(' ')}; do skopeo copy -q --insecure-policy --dest-tls-verify=false oci:${work}/all:$r docker://${host}/$r; done`,
      },
    ],
  };
}

function releaseText(upstream: string, references: readonly string[]): string {
  const images = references.map((reference) => `  - bench.example/${reference}`).join('\n');
  return `apiVersion: deliver/v1\nkind: Release\nmetadata: { name: bench, version: "1" }\nplatforms: [linux/amd64]\nsources:\n  registries:\n    bench.example: { mirror: "${upstream}" }\nimages:\n${images}\n`;
}

const node = process.execPath;

function limitProgram(): string {
  return `${node} ${path.join(import.meta.dirname, 'limit.ts')}`;
}

function pick(): string {
  return `${node} ${path.join(import.meta.dirname, 'pick-image.ts')}`;
}
