import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';

// This file must load on old versions of Node: it is what tells them apart.
const OLDEST = [22, 19];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const OWN_NODE = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

/** Runs deliver from `entry` (a file URL of cli/main) on a Node that is new enough. */
export async function start(entry) {
  if (tooOld()) {
    again();
    return;
  }
  const argv = process.argv.slice(2);
  if (argv[0] === '--version' || argv[0] === '-V') {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    console.log(`deliver ${version}`);
    return;
  }
  if (!existsSync(entry)) {
    console.error(`✖ deliver is not built yet: ${fileURLToPath(entry)} is missing.\n\n  fix    npm run build`);
    process.exit(2);
  }
  endForCertain();
  staySmall();
  rememberCompiled();
  dieWithParent();
  const { main } = await import(entry.href);
  process.exit(await main(argv));
}

/**
 * At the end Node waits for its compiler threads, while one that needs memory waits for the main thread to collect garbage:
 * a process that is done then never ends (nodejs/node#54918). V8's baseline compiler is the one that still runs at the end of
 * a short command, so it stays on the main thread.
 */
function endForCertain() {
  v8.setFlagsFromString('--no-concurrent-sparkplug');
}

/**
 * Streams make objects that die at once, and V8 gives those more and more room, in every thread. Where it stays what it is at
 * first, a pack over many connections peaks 30 MB lower and takes no longer.
 */
function staySmall() {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}

/** What Node compiled is kept among deliver's own files: only for their owner, who can remove it with them. */
function rememberCompiled() {
  if (statSync(new URL('..', import.meta.url)).uid !== process.getuid?.()) return;
  module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/deliver', import.meta.url)));
}

function tooOld() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

/** The same command on the Node that the project brings, in the same terminal; signals and the exit code go through. */
function again() {
  if (!existsSync(OWN_NODE) || process.env.DELIVER_STARTED_AGAIN !== undefined) {
    console.error(`✖ deliver needs Node ${OLDEST.join('.')} or later; this is ${process.versions.node}.`);
    console.error('\n  fix    install a newer Node, or run npm ci in the folder of deliver: it brings one');
    process.exit(2);
  }
  // The channel lets the child notice when this process is killed.
  const child = spawn(OWN_NODE, process.argv.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, DELIVER_STARTED_AGAIN: '1' },
  });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`✖ ${OWN_NODE} can't be started: ${error.message}`);
    process.exit(2);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0)));
}

function dieWithParent() {
  if (process.env.DELIVER_STARTED_AGAIN === undefined || process.channel === undefined) return;
  delete process.env.DELIVER_STARTED_AGAIN;
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}
