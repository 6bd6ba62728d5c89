import { DeliverError } from '../../core/errors.ts';
import type { HostConnection } from '../../ssh/port.ts';
import { shellQuote } from '../../ssh/shell-quote.ts';
import { ETCD_UNIT } from '../etcd/files.ts';
import { lookAt } from './apply.ts';
import { lastLine } from './placed.ts';
import { HOST_SHELL, RUN_INPUT } from './shell.ts';
import type { HostState } from './state.ts';
import { IS_MIRROR, MIRROR_FILES, undoScript } from './undo.ts';
import { emptyWish } from './wish.ts';
import { MARKER } from '../kubeadm/paths.ts';

/** Emptying a registry’s folder on a slow disk. */
const UNDO_TIMEOUT = 1_800_000;
const LOOK_TIMEOUT = 60_000;

/** What of deliver’s is on a host. */
export interface Traces {
  readonly state: HostState;
  /** Files of kubeadm, whoever ran it. */
  readonly kubernetes: boolean;
  /** A record, mirrors, an etcd of its own. */
  readonly ours: boolean;
}

/** A folder with data that stays, and its size in bytes. */
export interface StayingData {
  readonly path: string;
  readonly bytes: number;
}

export interface Undone {
  /** Files, units and settings that are as they were before. */
  readonly back: readonly string[];
  readonly notes: readonly string[];
  readonly stays: readonly StayingData[];
}

/** Looks for what deliver left on a host. Changes nothing. @throws DeliverError E_HOST for a record that can’t be read */
export async function tracesOn(connection: HostConnection, signal?: AbortSignal): Promise<Traces> {
  const { name } = connection.host;
  const { state } = await lookAt(connection, emptyWish(name), signal);
  if (state.corrupt)
    throw new DeliverError('E_HOST', {
      what: `What deliver did on ${name} can’t be told: its record there can’t be read.`,
      fix: 'Run the install once more: it makes the record anew. Then reset.',
      state: 'Nothing was changed on that host.',
    });
  const found = await say(connection, TRACES, signal);
  const { files, settings, units } = state.record;
  const recorded = Object.keys(files).length + settings.length + units.length > 0 || state.journal;
  return { state, kubernetes: found.includes('left=kubernetes'), ours: recorded || found.includes('left=ours') };
}

/**
 * Puts back what was there before deliver, as its record has it. Data stays but for the folders that are named.
 * @throws DeliverError E_HOST where something can’t be put back; the same command goes on from there
 */
export async function undoHost(
  connection: HostConnection,
  data: { readonly remove: readonly string[]; readonly known: readonly string[] },
  signal?: AbortSignal,
): Promise<Undone> {
  // As it is now: taking Kubernetes off writes /etc/hosts too.
  const { record, hostsFile } = (await tracesOn(connection, signal)).state;
  const { stateFolder } = emptyWish(connection.host.name);
  const stdin = undoScript({ stateFolder, record, hostsFile, data: data.remove });
  const ran = await connection.run(RUN_INPUT, {
    stdin,
    sudo: true,
    timeout: UNDO_TIMEOUT,
    ...(signal === undefined ? {} : { signal }),
  });
  const lines = ran.stdout.split('\n');
  const all = (key: string): string[] =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
  if (ran.code !== 0 || !lines.includes('done=yes')) {
    throw new DeliverError('E_HOST', {
      what: `Putting ${connection.host.name} back stopped.`,
      why: all('fail')[0] ?? lastLine(ran.stderr) ?? `the script ended with ${String(ran.code)}`,
      fix: 'Look at that on the host, then run the same command again: it goes on from there.',
      state: 'What was put back until then stays so; the rest is still deliver’s.',
    });
  }
  const staying = await say(connection, sizesScript(data.known), signal);
  return {
    back: [...new Set(['gone', 'back', 'stopped'].flatMap(all))],
    notes: all('note'),
    stays: staying.flatMap((line) => {
      const [, kilobytes, path] = /^stays=(\d+) (.*)$/.exec(line) ?? [];
      return path === undefined ? [] : [{ path, bytes: Number(kilobytes) * 1024 }];
    }),
  };
}

const TRACES = `
for f in ${MARKER} /etc/kubernetes/*.conf /etc/kubernetes/manifests/*.yaml /var/lib/kubelet/config.yaml; do [ ! -f "$f" ] || { echo left=kubernetes; break; }; done
for f in ${MIRROR_FILES}; do if ${IS_MIRROR}; then echo left=ours; fi; done
if [ -f ${ETCD_UNIT} ] && head -n 1 ${ETCD_UNIT} | grep -q '^# written by deliver'; then echo left=ours; fi
for f in /var/lib/deliver/host.json /var/lib/deliver/host.journal; do [ ! -e $f ] || echo left=ours; done
`;

function sizesScript(folders: readonly string[]): string {
  const list = folders.map(shellQuote).join(' ');
  if (list === '') return '';
  return `for d in ${list}; do [ -z "$(ls -A "$d" 2>/dev/null)" ] || echo "stays=$(du -skx "$d" 2>/dev/null | awk '{ print $1 }') $d"; done`;
}

async function say(connection: HostConnection, script: string, signal: AbortSignal | undefined): Promise<string[]> {
  const ran = await connection.run(RUN_INPUT, {
    stdin: `${HOST_SHELL}\n${script}\n:`,
    sudo: true,
    timeout: LOOK_TIMEOUT * 5,
    ...(signal === undefined ? {} : { signal }),
  });
  return ran.stdout.split('\n');
}
