import { bytesText, countText } from '../../core/amounts.ts';
import type { DeliverError } from '../../core/errors.ts';
import { isDeliverError } from '../../core/errors.ts';
import { inParallel } from '../../core/in-parallel.ts';
import type { Report, Step, StepResult } from '../../core/report.ts';
import { catalogOf } from '../../serve/catalog.ts';
import { endpointOf } from '../../serve/endpoint.ts';
import { hostsToml } from '../../serve/hosts-toml.ts';
import type { HostOutcome } from '../../site/host/apply.ts';
import { refuseFailed } from '../../site/host/outcome.ts';
import { bringImages, letImagesGo } from '../../site/nodes/images-run.ts';
import type { HostListener } from '../../ssh/port.ts';
import type { ReleaseSession } from '../release-session.ts';
import { bytesToPull, lookAtImages, type NodeImages } from '../site-images.ts';
import type { SitePorts } from '../site-ports.ts';

/** Nodes that pull at the same time: they share this machine’s line. */
const NODES_AT_ONCE = 4;
/** What is in flight at the end has this long. Milliseconds. */
const GRACE = 5000;
const LOOPBACK = '127.0.0.1';

type Session = Pick<ReleaseSession, 'bundle' | 'release'>;
type Ports = Pick<SitePorts, 'loaded' | 'hosts' | 'http'>;

/**
 * For a site without a registry: every node pulls what it lacks out of the bundle, through a tunnel of its SSH connection, and
 * keeps it. Before Kubernetes, which starts with images itself.
 */
export function imagesStep(session: () => Session, ports: Ports): Step {
  return { id: 'images', title: 'Images', run: async (report, signal) => bringAll(session(), ports, report, signal) };
}

/** At the end of an install, when nothing of the version before runs any more. */
export async function letOldImagesGo(session: Session, ports: Ports, signal: AbortSignal): Promise<StepResult> {
  let changed = 0;
  const nodes = await lookAtImages(session, ports, signal);
  await inParallel(nodes, NODES_AT_ONCE, signal, async ({ node, store, todo }, stop) => {
    if (todo.letGo.length === 0) return;
    changed += await letImagesGo(await ports.hosts.connect(node, stop), store, todo, session.release.metadata.name, stop);
  });
  return { summary: changed === 0 ? 'none left over' : `${countText(changed, 'image')} may be deleted on the nodes`, changed };
}

async function bringAll(session: Session, ports: Ports, report: Report, signal: AbortSignal): Promise<StepResult> {
  const nodes = await lookAtImages(session, ports, signal);
  const busy = nodes.filter(({ todo }) => todo.pull.length + todo.keep.length > 0);
  if (busy.length === 0) return { summary: 'no change', changed: 0 };
  const meter = meterOf(busy, report);
  const outcomes = new Map<string, HostOutcome>();
  const { bundle } = session;
  const listening = await ports.http.listen(
    { host: LOOPBACK, port: 0 },
    endpointOf(bundle, await catalogOf(bundle)),
    ({ bytes }) => {
      meter.sent(bytes);
    },
  );
  try {
    const to = { address: LOOPBACK, port: Number(new URL(listening.url).port) };
    await inParallel(busy, NODES_AT_ONCE, signal, async (node, stop) => {
      outcomes.set(node.node, await bringTo(node, session, ports, { to, signal: stop, pulled: meter.pulled }));
    });
  } finally {
    await listening.close(GRACE);
  }
  refuseFailed(nodes.map(({ node }) => outcomes.get(node) ?? outcomeOf(node, 0)));
  const pulled = busy.reduce((sum, { todo }) => sum + todo.pull.length, 0);
  const kept = busy.reduce((sum, { todo }) => sum + todo.keep.length, 0);
  return {
    summary: `${countText(pulled, 'image')}, ${bytesText(meter.bytes())} pulled by ${countText(busy.length, 'node')}${kept === 0 ? '' : `; ${String(kept)} kept that were there`}`,
    changed: pulled + kept,
  };
}

interface Bringing {
  readonly to: { readonly address: string; readonly port: number };
  readonly pulled: (node: string, name: string) => void;
  readonly signal: AbortSignal;
}

/** A node that fails stops only itself. */
async function bringTo({ node, todo }: NodeImages, { release }: Session, ports: Ports, work: Bringing): Promise<HostOutcome> {
  const { signal } = work;
  let listener: HostListener | undefined;
  try {
    const connection = await ports.hosts.connect(node, signal);
    listener = await connection.listen(work.to);
    const changed = await bringImages(connection, todo, {
      port: listener.port,
      release: release.metadata.name,
      hostsToml: (url) => hostsToml(url).lines,
      pulled: ({ reference }) => {
        work.pulled(node, reference);
      },
      signal,
    });
    return outcomeOf(node, changed);
  } catch (error) {
    if (signal.aborted || !isDeliverError(error) || isDeliverError(error, 'E_INTERRUPTED', 'E_BUG')) throw error;
    return { ...outcomeOf(node, 0), state: 'failed', error: named(node, error) };
  } finally {
    await listener?.close();
  }
}

/** Whatever broke, the person must learn on which host. */
function named(node: string, error: DeliverError): DeliverError {
  const { what } = error.facts;
  return what.includes(node) ? error : error.with({ what: `${node}: ${what}` });
}

function outcomeOf(host: string, changed: number): HostOutcome {
  return {
    host,
    state: changed === 0 ? 'unchanged' : 'changed',
    changes: changed === 0 ? [] : [countText(changed, 'image')],
    ran: [],
    notes: [],
  };
}

interface Meter {
  readonly sent: (bytes: number) => void;
  readonly pulled: (node: string, name: string) => void;
  readonly bytes: () => number;
}

function meterOf(nodes: readonly NodeImages[], report: Report): Meter {
  const total = nodes.reduce((sum, node) => sum + bytesToPull(node), 0);
  let done = 0;
  let detail = '';
  const tell = (): void => {
    report.progress({ done: Math.min(done, total), total, unit: 'bytes', ...(detail === '' ? {} : { detail }) });
  };
  return {
    sent: (bytes) => {
      done += bytes;
      tell();
    },
    pulled: (node, name) => {
      detail = `${node} has ${name}`;
      tell();
    },
    bytes: () => done,
  };
}
