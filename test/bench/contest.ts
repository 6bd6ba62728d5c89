import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { startRegistry, type RealRegistry } from './registry.ts';
import type { Tools } from './setup.ts';
import type { SlowLink } from './slow-link.ts';

export interface Entry {
  readonly name: string;
  /** Not counted; made in the fresh target. */
  readonly prepare?: (work: string) => Promise<void>;
  /** @param registry host of the fresh registry, empty where the contest has none */
  readonly command: (work: string, registry: string) => string;
  /** The file that the command makes and whose size is no extra; absent when it makes none. */
  readonly archive?: string;
  /** Rounds at most, where one takes long and the figure is far from the aim. */
  readonly rounds?: number;
}

/** What a row must reach. Ratios are the row's wall time divided by ours in the same round; memory is in MB, wall in seconds. */
export interface Aim {
  readonly row: string;
  readonly figure: 'ratio' | 'memory' | 'wall';
  readonly least?: number;
  readonly most?: number;
}

export interface Contest {
  readonly title: string;
  /** The row of ours. */
  readonly ours: string;
  readonly entries: readonly Entry[];
  readonly aims: readonly Aim[];
  /** What the title does not say. */
  readonly note?: string;
  /** Each run gets an empty registry. */
  readonly registry?: boolean;
  /** The way to that registry. */
  readonly link?: SlowLink;
  /** What was started for this contest. */
  readonly end?: () => Promise<void>;
}

/** What the contests are about: one corpus in one registry. */
export interface Setting {
  readonly tools: Tools;
  readonly release: string;
  /** A bundle of the release, packed before. */
  readonly bundle: string;
  readonly upstream: string;
  /** Where the upstream registry keeps its files. */
  readonly storage: string;
  /** `bench/image-00:v1` … */
  readonly references: readonly string[];
  readonly cores: number;
  /** Free for the contest to use. */
  readonly folder: string;
}

export const HOST = 'bench.example';
/** MB, of the whole process, at any size. */
export const MEMORY = 200;

/** A release of these images. @param source what stands for HOST, as in `sources.registries` */
export function releaseText(name: string, source: string, references: readonly string[], more = ''): string {
  const images = references.map((reference) => `  - ${HOST}/${reference}\n`).join('');
  return `apiVersion: deliver/v1
kind: Release
metadata: { name: ${name}, version: "1" }
platforms: [linux/amd64]
sources: { registries: { ${HOST}: { ${source} } } }
${images === '' ? '' : `images:\n${images}`}${more}`;
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
  const registry: RealRegistry | undefined = contest.registry === true ? await startRegistry(storage) : undefined;
  const host = registry === undefined ? '' : ((await contest.link?.to(registry.host)) ?? registry.host);
  return {
    work,
    host,
    end: async () => {
      await registry?.stop();
      await clear();
    },
  };
}
