import { constants } from 'node:os';
import { Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { DeliverError, isDeliverError } from '../core/errors.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import { isChannelRefused } from './channel-gate.ts';
import { within } from './deadline.ts';
import { where } from './endpoint.ts';
import { connectionLost } from './failure.ts';
import type { Session } from './session.ts';

/** Answers larger than this are a mistake, and must not fill our memory. */
const OUTPUT_LIMIT = 64 * 1024 * 1024;

export interface ExecuteOptions {
  /** For messages: “writing /etc/x”. */
  readonly label: string;
  readonly input?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Executed {
  /** 128 and more: ended by a signal, as a shell reports it. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Runs one command line of the login shell over a session and collects what it prints.
 * @throws DeliverError E_SSH when the connection breaks, E_HOST when it takes too long or prints without end, E_INTERRUPTED;
 * whatever the input throws
 */
export async function execute(session: Session, host: SiteHost, command: string, options: ExecuteOptions): Promise<Executed> {
  const { label, input, timeout, signal } = options;
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const open: { channel?: ClientChannel } = {};
  let size = 0;
  let ended = false;
  const stop = (): void => {
    ended = true;
    open.channel?.close();
  };
  const collect = (into: Buffer[]) => (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) into.push(chunk);
    else if (!ended) stop();
  };
  const sent = input === undefined ? undefined : inputStream(input);
  let broken: { readonly error: unknown } | undefined;
  sent?.once('error', (error: unknown) => {
    broken = { error };
    stop();
  });
  const start = async () => {
    // It waited for another command to end, and nobody waits for it any more.
    if (ended) throw new Error('stopped before it began');
    return session.ssh.execCommand(command, {
      encoding: 'latin1',
      noTrim: true,
      ...(sent === undefined ? {} : { stdin: sent }),
      onChannel: (channel) => {
        open.channel = channel;
        channel.on('error', () => undefined);
        if (ended) stop();
      },
      onStdout: collect(stdout),
      onStderr: collect(stderr),
    });
  };
  const running = session.channels.run(start, isChannelRefused);
  const settled = running.catch((cause: unknown) => {
    throw connectionLost(host, label, cause);
  });
  const { code, signal: killedBy } = await within(settled, {
    timeout,
    signal,
    what: `${label} on ${host.name}`,
    onTimeout: () => tooSlow(host, label, timeout),
    cancel: stop,
  }).finally(() => {
    // What the command didn't read: its source must not stay open.
    sent?.destroy();
  });
  if (broken !== undefined) throw broken.error;
  if (size > OUTPUT_LIMIT) throw tooMuch(host, label);
  if (code === null && killedBy === null) throw connectionLost(host, label);
  return { code: code ?? 128 + signalNumber(killedBy), stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
}

function inputStream(input: Uint8Array | AsyncIterable<Uint8Array>): Readable {
  return Readable.from(input instanceof Uint8Array ? [input] : input, { objectMode: true, highWaterMark: 2 });
}

/** True for errors after which the session itself is still good. */
export function sessionSurvives(error: unknown): boolean {
  return !isDeliverError(error, 'E_SSH');
}

function tooSlow(host: SiteHost, label: string, timeout: number): DeliverError {
  return new DeliverError('E_HOST', {
    what: `${capital(label)} on ${where(host)} was not done within ${String(timeout / 1000)} s.`,
    fix: 'Look at the load and the disks of that host, then run the same command again.',
    state: 'It may go on there for a few seconds, until the host ends it.',
  });
}

function tooMuch(host: SiteHost, label: string): DeliverError {
  return new DeliverError('E_HOST', {
    what: `${capital(label)} on ${where(host)} printed more than ${String(OUTPUT_LIMIT / 1024 / 1024)} MiB.`,
    state: 'It was cut off.',
  });
}

function signalNumber(name: string | null): number {
  return Object.entries(constants.signals).find(([known]) => known === name)?.[1] ?? 0;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
