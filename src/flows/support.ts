import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { outputError } from '../bundle/output-error.ts';
import { bytesText, countText } from '../core/amounts.ts';
import type { Flow, Step, StepResult } from '../core/report.ts';
import { checkThat } from '../site/check/check.ts';
import { openArchive, type SupportArchive } from '../site/support/archive.ts';
import { collectCluster } from '../site/support/cluster.ts';
import { collectHosts, type SupportedHost } from '../site/support/hosts.ts';
import type { SitePorts } from './site-ports.ts';
import { needed, siteStep } from './install/site-step.ts';

const JOURNAL_LIMIT = 1024 ** 2;
/** The last of them by name; a name begins with the site’s. */
const JOURNALS = 32;

export interface SupportInput {
  /** Where the archive goes; a name made of site and time when absent. */
  readonly output?: string;
  /** How far back logs go. */
  readonly hours: number;
}

export interface SupportResult {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly files: number;
  /** How many things were replaced by `***`. */
  readonly redacted: number;
  readonly hosts: readonly SupportedHost[];
  /** Why the cluster is not in it. */
  readonly clusterProblem?: string;
}

/** `deliver support`: what somebody needs to help from afar, in one archive without secrets. Changes nothing on the site. */
export function supportFlow(input: SupportInput, ports: SitePorts): Flow<SupportResult> {
  const { site } = ports.loaded;
  const file = path.resolve(input.output ?? `support-${site.metadata.name}-${stamp(new Date())}.tar.gz`);
  const state: { archive?: SupportArchive; hosts: readonly SupportedHost[]; clusterProblem?: string } = { hosts: [] };
  let result: SupportResult | undefined;
  const step = (id: string, title: string, work: Step['run'], last = false): Step =>
    siteStep(ports, id, title, (report, signal) => keeping(file, state, () => work(report, signal)), {
      state: () => 'Nothing was changed on the site, and no archive was left.',
      ...(last ? { last: () => undefined } : {}),
    });
  const steps = [
    step('hosts', 'Hosts', async (report, signal) => {
      state.archive = openArchive(file);
      state.hosts = await collectHosts(ports.hosts, site.hosts ?? [], state.archive, input.hours, report, signal);
      // Which and why is told with the result.
      const lost = state.hosts.filter(({ problem }) => problem !== undefined);
      const all = countText(state.hosts.length, 'host');
      return { summary: lost.length === 0 ? all : `${String(state.hosts.length - lost.length)} of ${all} whole` };
    }),
    step('cluster', 'Cluster', (_report, signal) => clusterPart(ports, state, signal)),
    step(
      'archive',
      'Archive',
      async () => {
        const archive = needed(state.archive);
        await ownPart(ports, archive);
        const { size, files, redacted } = await archive.finish();
        const { hosts, clusterProblem } = state;
        result = { path: file, size, files, redacted, hosts, ...(clusterProblem === undefined ? {} : { clusterProblem }) };
        return { summary: `${countText(files, 'file')}, ${bytesText(size)}, ${String(redacted)} redacted` };
      },
      true,
    ),
  ];
  return { steps, result: () => needed(result) };
}

async function clusterPart(
  ports: SitePorts,
  state: { archive?: SupportArchive; clusterProblem?: string },
  signal: AbortSignal,
): Promise<StepResult> {
  const archive = needed(state.archive);
  let objects = 0;
  const look = await checkThat('cluster', 'cluster', async () => {
    ({ objects } = await collectCluster(await ports.cluster(), archive, signal));
    return {};
  });
  if (look.outcome === 'pass') return { summary: countText(objects, 'object') };
  const problem = look.found ?? 'does not answer';
  state.clusterProblem = problem;
  await archive.add('cluster/UNREACHABLE.txt', `${problem}\n`);
  return { summary: 'can’t be looked at' };
}

/** What deliver itself knows: the site file, which holds no secrets, and its journals of this site. */
async function ownPart(ports: SitePorts, archive: SupportArchive): Promise<void> {
  const { loaded, stateFolder } = ports;
  await archive.add('deliver/version.txt', `node ${process.version}\n`);
  await archive.add('deliver/site.json', `${JSON.stringify(loaded.site, null, 2)}\n`);
  const folder = path.join(stateFolder, 'installs');
  const names = await readdir(folder).catch(() => []);
  const own = names.filter((one) => one.startsWith(`${loaded.site.metadata.name}.`)).toSorted();
  for (const name of own.slice(-JOURNALS)) {
    const text = await readFile(path.join(folder, name), 'utf8').catch(() => '');
    const tail = text.slice(-JOURNAL_LIMIT);
    await archive.add(`deliver/installs/${name}`, tail.length < text.length ? tail.slice(tail.indexOf('\n') + 1) : tail);
  }
}

/** A step that fails takes the half archive with it. */
async function keeping(file: string, state: { archive?: SupportArchive }, work: () => Promise<StepResult>): Promise<StepResult> {
  try {
    return await work();
  } catch (error) {
    await state.archive?.abort();
    throw error instanceof Error && 'syscall' in error ? outputError(file, error) : error;
  }
}

/** `20261122-0417` */
function stamp(time: Date): string {
  return time.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 13);
}
