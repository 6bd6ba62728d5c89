import type { BuildFacts } from './facts.ts';
import { momentOf, skewOf, type Skew } from './clock.ts';
import { platformOf } from '../platform.ts';

/** What a probe found out about one host. */
export interface HostFacts {
  readonly root: boolean;
  readonly platform: string;
  /** Against this machine's clock. */
  readonly skew?: Skew;
  /** Addresses of the registry's name there; undefined when the host can't be asked (no getent). */
  readonly registryAddresses?: readonly string[];
  /** HTTP status of the registry's /v2/, or curl's exit code; undefined without curl. */
  readonly registryAnswer?: { readonly status: number; readonly curlCode: number };
  /** Bytes of the filesystem below containerd. */
  readonly disk?: { readonly total: number; readonly free: number; readonly mount: string };
  readonly containerd?: ContainerdFacts;
  /** Another container runtime: `crio`, `k3s`, `rke2`. */
  readonly otherRuntime?: string;
  /** Only of hosts that deliver builds on. */
  readonly build?: BuildFacts;
}

export interface ContainerdFacts {
  /** `1.7.28`, undefined when it can't be told. */
  readonly version?: string;
  readonly running: boolean;
  /** Folders that the CRI plugin looks for hosts.toml in. */
  readonly configPath: readonly string[];
  /** The old `registry.mirrors` tables are in use. */
  readonly mirrors: boolean;
  readonly criDisabled: boolean;
  /** The service has an HTTP proxy in its environment. */
  readonly proxy: boolean;
}

/** Programs without which a host can't be asked, and what else of its programs is missing then; empty when it was asked. */
export function missingPrograms(output: string): string[] {
  return [...output.matchAll(/^lacks=(.+)$/gm)].map(([, name = '']) => name.trim());
}

/** Reads the output of the probe script. `asked` and `answered` are this machine's clock around it, in ms. */
export function parseProbe(output: string, asked: number, answered: number): HostFacts {
  const lines = new Map(
    output.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()]];
    }),
  );
  const began = momentOf(lines.get('began') ?? '');
  const ended = momentOf(lines.get('ended') ?? '');
  const [status, curlCode] = (lines.get('http') ?? '').split(' ');
  const [total, free, mount] = (lines.get('disk') ?? '').split(' ');
  const other = lines.get('other');
  return {
    root: lines.get('uid') === '0',
    platform: platformOf(lines.get('system') ?? '', lines.get('machine') ?? ''),
    ...(began === undefined || ended === undefined ? {} : { skew: skewOf({ asked, began, ended, answered }) }),
    ...(lines.has('resolver') ? { registryAddresses: (lines.get('addresses') ?? '').split(' ').filter(Boolean) } : {}),
    ...(lines.has('http') ? { registryAnswer: { status: Number(status), curlCode: Number(curlCode) } } : {}),
    ...(mount === undefined ? {} : { disk: { total: Number(total) * 1024, free: Number(free) * 1024, mount } }),
    ...(lines.has('containerd') ? { containerd: containerdOf(lines) } : {}),
    ...(other === undefined ? {} : { otherRuntime: other }),
  };
}

function containerdOf(lines: ReadonlyMap<string, string>): ContainerdFacts {
  const version = /\d+\.\d+\.\d+/.exec(lines.get('containerd') ?? '')?.[0];
  const configPath = (lines.get('configPath') ?? '').replace(/^(["'])(.*)\1$/, '$2');
  return {
    ...(version === undefined ? {} : { version }),
    running: lines.get('active') === 'active',
    configPath: configPath.split(':').filter(Boolean),
    mirrors: lines.has('mirrors'),
    criDisabled: lines.has('criDisabled'),
    proxy: lines.has('proxy'),
  };
}
