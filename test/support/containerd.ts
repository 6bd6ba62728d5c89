import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { labProgram } from './lab-program.ts';
import { attend } from './processes.ts';

/** Lines of containerd that the lab has programs of. */
export const CONTAINERD_LINES = ['CONTAINERD', 'CONTAINERD_2'] as const;
type Line = (typeof CONTAINERD_LINES)[number];

/** Why the tests that need a containerd can't run here, undefined when they can. */
export function whyNoContainerd(): string | undefined {
  const missing = CONTAINERD_LINES.filter((line) => !existsSync(labProgram('containerd', line)));
  if (missing.length > 0) return 'containerd is not in the cache: bash test/lab/binaries.sh containerd containerd-2 gets it';
  return process.getuid?.() === 0 ? undefined : 'containerd needs root';
}

/** A containerd of its own, without its CRI plugin: nothing runs in it, it only keeps images. */
export interface Containerd {
  /** For an sshd: what a `ctr` without flags needs to reach this one. */
  readonly sshd: Readonly<Record<string, string>>;
  /** `ctr -n k8s.io …`; its standard output. */
  ctr(...args: readonly string[]): string;
  stop(): Promise<void>;
}

export async function startContainerd(line: Line = 'CONTAINERD'): Promise<Containerd> {
  const program = labProgram('containerd', line);
  // Unix sockets have short names only.
  const folder = mkdtempSync(join(tmpdir(), 'deliver-ctr-'));
  const at = (name: string): string => join(folder, name);
  const config = [
    'version = 2',
    `root = "${at('root')}"`,
    `state = "${at('state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `  address = "${at('sock')}"`,
    '',
  ];
  writeFileSync(at('config.toml'), config.join('\n'));
  const path = `${dirname(program)}${delimiter}${process.env['PATH'] ?? '/usr/bin:/bin'}`;
  const env = { PATH: path, HOME: folder, CONTAINERD_ADDRESS: at('sock') };
  const child = spawn(program, ['--config', at('config.toml')], { stdio: ['ignore', 'ignore', 'pipe'], env });
  const { said, end } = attend(child);
  const stop = async (): Promise<void> => {
    await end(10_000);
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  const run = (args: readonly string[]) =>
    spawnSync(join(dirname(program), 'ctr'), args, { env, encoding: 'utf8', timeout: 30_000 });
  for (let tries = 0; tries < 100 && child.exitCode === null; tries++) {
    if (run(['version']).status === 0) {
      return {
        sshd: { CONTAINERD_ADDRESS: at('sock'), PATH: path },
        ctr: (...args) => {
          const ran = run(['-n', 'k8s.io', ...args]);
          if (ran.status !== 0) throw new Error(`ctr ${args.join(' ')}: ${ran.stderr}`);
          return ran.stdout;
        },
        stop,
      };
    }
    await sleep(150);
  }
  await stop();
  throw new Error(`containerd did not start: ${said()}`);
}
