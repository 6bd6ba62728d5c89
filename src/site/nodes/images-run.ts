import { DeliverError, isDeliverError } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';
import { RUN_INPUT } from '../host/shell.ts';
import {
  labelsToTake,
  LOOK_SCRIPT,
  parseStore,
  PINNED,
  releaseLabel,
  type ImagesTodo,
  type NodeStore,
  type WishedImage,
} from './images.ts';

/** Layers of one image at a time: with the nodes at a time, what bounds memory here and the share of the line. */
const LAYERS_AT_ONCE = 3;
const LOOK_TIMEOUT = 120_000;
/** Milliseconds before the first byte counts, and bytes per millisecond that even a bad line carries, shared with other nodes. */
const PULL_TIMEOUT = 600_000;
const SLOW_LINE = 5;

const PRELUDE = 'PATH=/usr/local/sbin:/usr/local/bin:$PATH; export PATH';

/** What a node’s containerd holds. @throws DeliverError E_SSH, E_SUDO, E_HOST */
export async function lookAtStore(connection: HostConnection, signal: AbortSignal): Promise<NodeStore> {
  const ran = await connection.run(LOOK_SCRIPT, { sudo: true, timeout: LOOK_TIMEOUT, signal });
  const store = ran.code === 0 ? parseStore(ran.stdout) : undefined;
  if (store !== undefined) return store;
  throw new DeliverError('E_HOST', {
    what: `containerd on ${connection.host.name} does not say which images it holds.`,
    why: lastLine(ran.stderr) ?? `the command ended with ${String(ran.code)}`,
    fix: `On ${connection.host.name}: systemctl status containerd`,
  });
}

export interface PullWork {
  /** Of the node’s loopback: leads to this machine’s endpoint over the bundle. */
  readonly port: number;
  readonly release: string;
  /** hosts.toml for every source host: where to ask. */
  readonly hostsToml: (url: string) => readonly string[];
  readonly pulled: (image: WishedImage) => void;
  readonly signal: AbortSignal;
}

/**
 * Pulls what a node lacks, one image after the other, and keeps it there.
 * @throws DeliverError E_IMAGE_PULL, E_SSH, E_SUDO, saying how far it is
 */
export async function bringImages(connection: HostConnection, { pull, keep }: ImagesTodo, work: PullWork): Promise<number> {
  const labels = [PINNED, releaseLabel(work.release)];
  if (keep.length > 0) {
    const lines = keep.map(
      ({ name }) => `ctr -n k8s.io images label ${[name, ...labels].map(shellQuote).join(' ')} >/dev/null || exit 1`,
    );
    await mustRun(connection, lines, work.signal);
  }
  let done = 0;
  for (const image of pull) {
    const state = `${String(done)} of ${String(pull.length)} images were pulled there and stay; the same command goes on from here.`;
    const { name } = connection.host;
    try {
      const timeout = PULL_TIMEOUT + Math.ceil(image.size / SLOW_LINE);
      const ran = await connection.run(pullScript(image, labels, work), { sudo: true, timeout, signal: work.signal });
      if (ran.code !== 0) {
        throw new DeliverError('E_IMAGE_PULL', {
          what: `${name} could not pull ${image.reference} from this machine.`,
          why: lastLine(ran.stderr) ?? `ctr ended with ${String(ran.code)}`,
          fix: `Look at the disk and at containerd of ${name} (journalctl -u containerd), then run the same command again.`,
        });
      }
    } catch (error) {
      throw isDeliverError(error) ? error.with({ state }) : error;
    }
    done += 1;
    work.pulled(image);
  }
  return pull.length + keep.length;
}

/** Takes this release’s hold off images that it no longer has; the kubelet deletes them when it needs the room. */
export async function letImagesGo(
  connection: HostConnection,
  store: NodeStore,
  { letGo }: ImagesTodo,
  release: string,
  signal: AbortSignal,
): Promise<number> {
  const lines = letGo.flatMap((name) => {
    const held = store.images.get(name);
    const words = held === undefined ? [] : [name, ...labelsToTake(held, release)];
    return held === undefined ? [] : [`ctr -n k8s.io images label ${words.map(shellQuote).join(' ')} >/dev/null || exit 1`];
  });
  if (lines.length > 0) await mustRun(connection, lines, signal);
  return lines.length;
}

async function mustRun(connection: HostConnection, lines: readonly string[], signal: AbortSignal): Promise<void> {
  // Hundreds of images make more than fits in an argument.
  const stdin = [PRELUDE, ...lines].join('\n');
  const ran = await connection.run(RUN_INPUT, { stdin, sudo: true, timeout: LOOK_TIMEOUT, signal });
  if (ran.code === 0) return;
  throw new DeliverError('E_HOST', {
    what: `containerd on ${connection.host.name} does not take labels of images.`,
    why: lastLine(ran.stderr) ?? `ctr ended with ${String(ran.code)}`,
    fix: `Look at containerd of ${connection.host.name} (journalctl -u containerd), then run the same command again.`,
    state: 'Its images are all there as they were.',
  });
}

/**
 * A folder of this pull alone says where to ask: /etc/containerd never names the port, which is free for anybody on the node
 * once the tunnel has gone. `--local`: the ctr of 1.7 and 2.x takes a bound on its downloads only so; 1.6 has nothing else.
 */
function pullScript({ name }: WishedImage, labels: readonly string[], { port, hostsToml }: PullWork): string {
  const toml = hostsToml(`http://127.0.0.1:${String(port)}`).join('\n');
  return [
    PRELUDE,
    'umask 077',
    'd=$(mktemp -d /run/deliver-images.XXXXXX) || exit 1',
    'trap \'rm -rf "$d"\' EXIT',
    "trap 'exit 1' HUP INT TERM",
    `mkdir "$d/_default" && printf '%s\\n' ${shellQuote(toml)} >"$d/_default/hosts.toml" || exit 1`,
    'l=; ctr images pull --help 2>&1 | grep -q -e --local && l=--local',
    `ctr -n k8s.io images pull $l --hosts-dir "$d" --max-concurrent-downloads ${String(LAYERS_AT_ONCE)} ${labels
      .map((label) => `--label ${shellQuote(label)}`)
      .join(' ')} ${shellQuote(name)} >/dev/null`,
  ].join('\n');
}

function lastLine(text: string): string | undefined {
  return text
    .trim()
    .split('\n')
    .findLast((line) => line.trim() !== '')
    ?.slice(0, 400);
}
