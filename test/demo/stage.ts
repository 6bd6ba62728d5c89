import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lines, prompt, say } from './narrator.ts';
import { run } from './run.ts';

export const REPOSITORY = path.resolve(import.meta.dirname, '../..');
const CLI = process.env['DELIVER_CLI'] ?? path.join(REPOSITORY, 'bin/run.js');

/** What stops the demo, in words for the person who watches. */
export class DemoFailure extends Error {
  readonly fix: string | undefined;
  constructor(message: string, fix?: string) {
    super(message);
    this.fix = fix;
  }
}

export interface ShowOptions {
  /** Inside the site, by test/lab/run-on-site. */
  readonly onSite?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds, 5 minutes when absent. */
  readonly timeout?: number;
}

/** The work folder, and commands that run in it the way they are shown. */
export interface Stage {
  readonly folder: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether the work folder stays at the end. */
  keep: boolean;
  /** Shows a shell command and runs it; its output is the person's. Throws when it fails. */
  show(command: string, options?: ShowOptions): Promise<void>;
  /** The same, and returns what it printed. */
  ask(command: string, options?: ShowOptions): Promise<string>;
}

/** Runs a demo in a work folder of its own and sets the exit code: 0, 1 with a message, 130 after Ctrl-C. */
export async function play(demo: (stage: Stage) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const folder = await mkdtemp(path.join(tmpdir(), 'deliver-demo-'));
  const stage = openStage(folder, stop.signal);
  try {
    await prepare(folder);
    await demo(stage);
  } catch (error) {
    process.exitCode = stop.signal.aborted ? 130 : 1;
    say('');
    if (stop.signal.aborted) lines('✖ Interrupted.');
    else if (error instanceof DemoFailure) {
      say(`✖ ${error.message}`);
      if (error.fix !== undefined) lines(`  fix    ${error.fix}`);
    } else lines(`✖ The demo itself is wrong: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } finally {
    if (!stage.keep) await rm(folder, { recursive: true, force: true });
  }
}

function openStage(folder: string, signal: AbortSignal): Stage {
  const perform = async (command: string, output: 'through' | 'tee', options: ShowOptions): Promise<string> => {
    const { onSite = false, env = {}, timeout = 300_000 } = options;
    signal.throwIfAborted();
    prompt(command);
    const where = onSite ? ([path.join(REPOSITORY, 'test/lab/run-on-site'), 'sh', '-c'] as const) : (['sh', '-c'] as const);
    const ended = await run([...where, command], {
      cwd: folder,
      env: { ...environment(folder), ...env },
      timeout,
      signal,
      output,
    });
    if (ended.code !== 0) throw new DemoFailure(`The demo stops here: this command ended with ${String(ended.code)}: ${command}`);
    return ended.stdout;
  };
  return {
    folder,
    signal,
    keep: false,
    show: async (command, options = {}) => {
      await perform(command, 'through', options);
    },
    ask: (command, options = {}) => perform(command, 'tee', options),
  };
}

/** `deliver` on the PATH, and a home of its own: what it keeps there goes with the folder. */
async function prepare(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'bin'));
  await mkdir(path.join(folder, 'home'));
  const file = path.join(folder, 'bin/deliver');
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
  await chmod(file, 0o755);
}

function environment(folder: string): NodeJS.ProcessEnv {
  // Neither the loopback nor the site is reached by a proxy.
  const own = Object.entries(process.env).filter(([name]) => !/_proxy$|^XDG_/i.test(name));
  const home = path.join(folder, 'home');
  return {
    ...Object.fromEntries(own),
    PATH: `${path.join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    DOCKER_CONFIG: path.join(home, '.docker'),
  };
}
