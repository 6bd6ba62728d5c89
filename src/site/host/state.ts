import { replay } from './journal.ts';
import type { HostRecord } from './record.ts';
import { parseRecord } from './record.ts';
import { platformOf } from '../platform.ts';

/** What lies at a path. */
export interface FileState {
  readonly mode: string;
  readonly size: number;
  readonly mtime: number;
  /** Hex, for small files only. */
  readonly sha256?: string;
  /** Its first line says that deliver wrote it. */
  readonly marked?: boolean;
}

export interface UnitState {
  readonly active: boolean;
  readonly enabled: boolean;
  /** Where systemd read it from; empty when it knows none. */
  readonly fragment: string;
  /** Its file is newer than what systemd has read. */
  readonly stale: boolean;
}

/** What a look found on a host. */
export interface HostState {
  readonly host: string;
  /** `linux/amd64` */
  readonly platform: string;
  readonly record: HostRecord;
  /** There is more than the record says: an earlier run was cut off before it was written. */
  readonly journal: boolean;
  /** The record could not be read. */
  readonly corrupt: boolean;
  readonly files: ReadonlyMap<string, FileState>;
  readonly units: ReadonlyMap<string, UnitState>;
  /** Loaded or built in. */
  readonly modules: ReadonlySet<string>;
  readonly sysctls: ReadonlyMap<string, string>;
  /** Swap areas in use, and lines of fstab that would bring them back. */
  readonly swap: number;
  readonly fstabSwap: number;
  readonly hostsFile: string;
  readonly cgroup: 1 | 2;
  /** Root there may not lower an OOM score (a container without CAP_SYS_RESOURCE). */
  readonly oomRestricted: boolean;
  /** Programs of packages in /usr/bin and /usr/sbin: name → version. */
  readonly packaged: ReadonlyMap<string, string>;
  /** Sandboxes and containers that run in containerd. */
  readonly containers: number;
  /** What the running containerd's configuration says. */
  readonly containerd: { readonly systemdCgroup: boolean; readonly configPath: readonly string[]; readonly criDisabled: boolean };
  /** What deliver can't do without and the host lacks. */
  readonly lacks: readonly string[];
}

/** Reads what `lookScript` printed. @throws DeliverError E_HOST for a record of a newer deliver */
export function parseState(host: string, output: string): HostState {
  const found = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const at = line.indexOf('=');
    if (at < 1) continue;
    const key = line.slice(0, at);
    found.set(key, [...(found.get(key) ?? []), line.slice(at + 1).trim()]);
  }
  const all = (key: string): readonly string[] => found.get(key) ?? [];
  const one = (key: string): string | undefined => found.get(key)?.[0];
  const sums = new Map(all('sum').map((line) => [rest(line, 1), words(line)[0] ?? '']));
  const marked = new Set(all('marked'));
  const { record, corrupt } = parseRecord(textOf(one('record')), host);
  const journal = textOf(one('journal')) ?? '';
  return {
    host,
    platform: platformOf(one('system') ?? '', one('machine') ?? ''),
    record: replay(record, journal).record,
    journal: journal !== '',
    corrupt,
    files: new Map(
      all('file').map((line): [string, FileState] => {
        const [mode = '', size = '', mtime = ''] = words(line);
        const path = rest(line, 3);
        const sha256 = sums.get(path);
        return [
          path,
          {
            mode,
            size: Number(size),
            mtime: Number(mtime),
            ...(sha256 === undefined ? {} : { sha256, marked: marked.has(path) }),
          },
        ];
      }),
    ),
    units: new Map(
      all('unit').map((line): [string, UnitState] => {
        const [name = '', active = '', enabled = '', fragment = '', stale = ''] = line.split('|');
        return [name, { active: active === 'active', enabled: enabled === 'enabled', fragment, stale: stale === 'yes' }];
      }),
    ),
    modules: new Set(all('module')),
    sysctls: new Map(all('sysctl').map((line) => [words(line)[0] ?? '', rest(line, 1)])),
    swap: Number(one('swap') ?? '0'),
    fstabSwap: Number(one('fstab') ?? '0'),
    hostsFile: Buffer.from(one('hosts') ?? '', 'base64').toString('utf8'),
    cgroup: one('cgroup') === 'cgroup2fs' ? 2 : 1,
    oomRestricted: one('oom') === 'restricted',
    packaged: new Map(all('packaged').map((line) => [words(line)[0] ?? '', /\d+\.\d+\.\d+/.exec(rest(line, 1))?.[0] ?? ''])),
    containers: Number(one('containers') ?? '0'),
    containerd: {
      systemdCgroup: found.has('systemdCgroup'),
      configPath: (one('configPath') ?? '')
        .replace(/^(["'])(.*)\1$/, '$2')
        .split(':')
        .filter(Boolean),
      criDisabled: found.has('criDisabled'),
    },
    lacks: all('lacks'),
  };
}

function words(line: string): string[] {
  return line.split(' ');
}

function rest(line: string, from: number): string {
  return words(line).slice(from).join(' ');
}

function textOf(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
}
