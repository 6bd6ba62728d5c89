import type { Duplex } from 'node:stream';
import type { Channel } from 'ssh2';
import { DeliverError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import { bounded } from './bounded.ts';
import { within } from './deadline.ts';
import { userOf, where } from './endpoint.ts';
import { execute, sessionSurvives, type Executed } from './execute.ts';
import { leadTo, listenOn } from './listen.ts';
import type { HostConnection, HostListener, RunOptions, RunResult, UploadOptions, UploadSource } from './port.ts';
import { readScript, saysMissing, writeScript } from './remote-file.ts';
import type { Session } from './session.ts';
import { shellQuote } from './shell-quote.ts';
import {
  notRoot,
  onTerminal,
  passwordProbe,
  SUDO_PROBE,
  sudoRefusal,
  wantsTerminal,
  withoutPassword,
  withPassword,
  type Invocation,
} from './sudo.ts';
import { TunnelStream } from './tunnel-stream.ts';
import { uploadFile } from './upload.ts';

const RUN_TIMEOUT = 60_000;
/** Bytes per millisecond that even a bad line carries. */
const SLOW_LINE = 50;

interface Work {
  readonly label: string;
  readonly input?: Invocation['input'] | undefined;
  readonly asRoot: boolean;
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** One logged-in host. */
export class SshConnection implements HostConnection {
  readonly host: SiteHost;
  readonly #session: Session;
  readonly #sudoPassword: Secret | undefined;
  readonly #dialTimeout: number;
  readonly #tunnels = new Set<TunnelStream>();
  #sudoChecked: Promise<void> | undefined;
  /** sudo there wants one (requiretty). */
  #onTerminal = false;

  constructor(host: SiteHost, session: Session, sudoPassword: Secret | undefined, dialTimeout: number) {
    this.host = host;
    this.#session = session;
    this.#sudoPassword = sudoPassword;
    this.#dialTimeout = dialTimeout;
    // Before ssh2 ends the channels: a broken line must not look like the other side's orderly end.
    session.client.prependListener('close', () => {
      for (const tunnel of this.#tunnels)
        tunnel.destroy(Object.assign(new Error('the SSH connection broke'), { code: 'ECONNRESET' }));
    });
  }

  async run(command: string, options: RunOptions = {}): Promise<RunResult> {
    const { stdin, sudo = false, timeout = RUN_TIMEOUT, signal } = options;
    const input = typeof stdin === 'string' ? Buffer.from(stdin) : stdin;
    const ran = await this.#work(command, { label: 'a command', input, asRoot: sudo, timeout, signal });
    return { code: ran.code, stdout: ran.stdout.toString('utf8'), stderr: ran.stderr.toString('utf8') };
  }

  async writeFile(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const input = typeof content === 'string' ? Buffer.from(content) : content;
    const script = writeScript(absolute(path), input.length, mode);
    const timeout = RUN_TIMEOUT + Math.ceil(input.length / SLOW_LINE);
    const ran = await this.#work(script, { label: `writing ${path}`, input, asRoot: this.host.sudo === true, timeout });
    if (ran.code !== 0) throw this.#fileError('written', path, ran);
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    const script = readScript(absolute(path));
    const ran = await this.#work(script, { label: `reading ${path}`, asRoot: this.host.sudo === true, timeout: RUN_TIMEOUT });
    if (ran.code === 0) return ran.stdout;
    if (saysMissing(ran.stderr.toString('utf8'))) return undefined;
    throw this.#fileError('read', path, ran);
  }

  async upload(path: string, source: UploadSource, options: UploadOptions = {}): Promise<void> {
    await uploadFile(absolute(path), source, options, {
      host: this.host,
      run: (script, label, extra) =>
        this.#work(script, { label, asRoot: this.host.sudo === true, signal: options.signal, ...extra }),
      failed: (ran) => this.#fileError('written', path, ran),
    });
  }

  async listen(to: { readonly address: string; readonly port: number }): Promise<HostListener> {
    return listenOn(this.#session, this.host, this.#dialTimeout, (channel) => {
      leadTo(to, this.#tunnel(channel));
    });
  }

  async dial(address: string, port: number): Promise<Duplex> {
    const refused = (why: string, cause?: unknown): DeliverError =>
      new DeliverError('E_SSH', {
        what: `${address}:${String(port)} can’t be reached from ${where(this.host)}.`,
        why,
        fix: `Check that the service runs and that ${this.host.name} may reach it; sshd there must have AllowTcpForwarding yes.`,
        cause,
      });
    let late = false;
    const opening = this.#session.ssh.forwardOut('127.0.0.1', 0, address, port).then(
      (channel) => {
        if (late) channel.destroy();
        return channel;
      },
      (cause: unknown) => {
        throw refused(channelMessage(cause), cause);
      },
    );
    const channel = await within(opening, {
      timeout: this.#dialTimeout,
      what: `${address}:${String(port)}`,
      onTimeout: () => refused(`no answer within ${String(this.#dialTimeout / 1000)} s`),
      cancel: () => {
        late = true;
      },
    });
    return this.#tunnel(channel);
  }

  #tunnel(channel: Channel): TunnelStream {
    const tunnel = new TunnelStream(channel);
    this.#tunnels.add(tunnel);
    tunnel.once('close', () => this.#tunnels.delete(tunnel));
    return tunnel;
  }

  async #work(given: string, work: Work): Promise<Executed> {
    const command = bounded(given, work.timeout);
    if (!work.asRoot || userOf(this.host) === 'root') {
      return this.#execute(
        { line: `exec sh -c ${shellQuote(command)}`, ...(work.input === undefined ? {} : { input: work.input }) },
        work,
      );
    }
    if (this.host.sudo !== true) throw notRoot(this.host);
    const password = this.#sudoPassword;
    await this.#checkSudo(work.signal);
    const invocation =
      password === undefined ? withoutPassword(command, work.input) : withPassword(command, password, work.input);
    const ran = await this.#execute(this.#onTerminal ? onTerminal(invocation) : invocation, work);
    const refusal = sudoRefusal(this.host, ran);
    if (refusal !== undefined) throw refusal;
    return ran;
  }

  /** Once per connection, and a refusal is remembered: a wrong password tried again and again locks accounts. */
  #checkSudo(signal: AbortSignal | undefined): Promise<void> {
    this.#sudoChecked ??= this.#probeSudo().then(
      (ran) => {
        const refusal = sudoRefusal(this.host, ran);
        if (refusal !== undefined) throw refusal;
      },
      (error: unknown) => {
        if (sessionSurvives(error)) this.#sudoChecked = undefined;
        throw error;
      },
    );
    return within(this.#sudoChecked, {
      timeout: 2 * RUN_TIMEOUT + 1000,
      signal,
      what: `sudo on ${this.host.name}`,
      onTimeout: () => notRoot(this.host),
    });
  }

  async #probeSudo(): Promise<Executed> {
    const probe = this.#sudoPassword === undefined ? SUDO_PROBE : passwordProbe(this.#sudoPassword);
    const work = { label: 'sudo', asRoot: true, timeout: RUN_TIMEOUT };
    const ran = await this.#execute(probe, work);
    if (!wantsTerminal(ran)) return ran;
    this.#onTerminal = true;
    return this.#execute(onTerminal(probe), work);
  }

  #execute(invocation: Invocation, work: Work): Promise<Executed> {
    const { label, timeout, signal } = work;
    return execute(this.#session, this.host, invocation.line, { label, timeout, signal, input: invocation.input });
  }

  #fileError(verb: 'written' | 'read', path: string, ran: Executed): DeliverError {
    const said = ran.stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
    const denied = said.includes('Permission denied') && this.host.sudo !== true && userOf(this.host) !== 'root';
    return new DeliverError('E_HOST', {
      what: `${path} on ${where(this.host)} can’t be ${verb}.`,
      why: said === '' ? `the command ended with ${String(ran.code)}` : said,
      ...(denied ? { fix: `Write sudo: true for host ${this.host.name} in the site file.` } : {}),
      state: verb === 'written' ? 'What was there before is still there, whole.' : 'Nothing was changed.',
    });
  }
}

function absolute(path: string): string {
  if (path.startsWith('/') && !path.endsWith('/') && !path.includes('\0')) return path;
  throw new DeliverError('E_BUG', { what: `“${path}” is not an absolute file path.` });
}

/** RFC 4254 section 5.1: with reason 1 OpenSSH says no more than “open failed”. */
function channelMessage(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if ('reason' in cause && cause.reason === 1) return 'forwarding is administratively prohibited there';
  return cause.message.replace(/^\(SSH\) Channel open failure: ?/, '');
}
