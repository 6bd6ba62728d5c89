import { DeliverError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import { userOf, where } from './endpoint.ts';
import type { Executed } from './execute.ts';
import { shellQuote } from './shell-quote.ts';

/** Marks where the password ends and the command's own input begins. */
const MARK = '--deliver-input--';
const SUDO = 'exec env LC_ALL=C sudo';

/** A command line and what to send to its standard input. */
export interface Invocation {
  readonly line: string;
  readonly input?: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Without a password: sudo may not ask. */
export function withoutPassword(command: string, input?: Invocation['input']): Invocation {
  return { line: `${SUDO} -n -- sh -c ${shellQuote(command)}`, ...(input === undefined ? {} : { input }) };
}

/**
 * The password is the first line of the input. Whether sudo reads it depends on the host (NOPASSWD, a cached login), so
 * the shell that sudo starts drops everything up to the mark: the password can't end up in the command's input.
 */
export function withPassword(command: string, password: Secret, input?: Invocation['input']): Invocation {
  const drop = `IFS= read -r l; [ "$l" = ${MARK} ] || IFS= read -r l; [ "$l" = ${MARK} ] || exit 97; unset l`;
  const head = Buffer.from(`${password.reveal()}\n${MARK}\n`);
  return {
    line: `${SUDO} -S -p '' -- sh -c ${shellQuote(`${drop}\n${command}`)}`,
    input: input === undefined ? head : input instanceof Uint8Array ? Buffer.concat([head, input]) : joined(head, input),
  };
}

async function* joined(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}

/**
 * The same under a terminal of its own, for a sudoers with requiretty: script(1) of util-linux gives one. Input and output
 * go around it, so bytes stay what they are and the password is not echoed.
 */
export function onTerminal({ line, input }: Invocation): Invocation {
  const inner = shellQuote(`${line} <&3 >&4 2>&5 3<&- 4>&- 5>&-`);
  const missing = 'sudo: sorry, you must have a tty to run sudo (and script of util-linux is not there to give one)';
  const around = `command -v script >/dev/null 2>&1 || { echo ${shellQuote(missing)} >&2; exit 1; }
exec 3<&0 4>&1 5>&2
exec env SHELL=/bin/sh script -qec ${inner} /dev/null </dev/null >/dev/null 2>&1`;
  return { line: `exec sh -c ${shellQuote(around)}`, ...(input === undefined ? {} : { input }) };
}

/** True when sudo refused because there was no terminal. */
export function wantsTerminal({ code, stderr }: Executed): boolean {
  return code === 1 && /must have a tty/i.test(stderr.toString('utf8'));
}

/** Tries the password alone, once: with more input sudo would take the next lines for further attempts, and lock the account. */
export function passwordProbe(password: Secret): Invocation {
  return { line: `${SUDO} -k -S -p '' -- sh -c :`, input: Buffer.from(`${password.reveal()}\n`) };
}

/** Whether sudo lets one be root without a password. */
export const SUDO_PROBE: Invocation = { line: `${SUDO} -n -- sh -c :` };

/** The E_SUDO that a refusal of sudo means, undefined when the command itself ran. */
export function sudoRefusal(host: SiteHost, ran: Executed): DeliverError | undefined {
  const said = ran.stderr.toString('utf8');
  const refused =
    ran.code === 1 && ran.stdout.length === 0 && /^(?:sudo: |sudo-rs: |Sorry, |\S+ is not in the sudoers file)/m.test(said);
  const missing = ran.code === 127 && said.includes('sudo') && /No such file|not found/.test(said);
  if (!refused && !missing) return undefined;
  const { why, fix } = explain(host, said, missing);
  return new DeliverError('E_SUDO', {
    what: `sudo refuses ${userOf(host)} on ${where(host)}.`,
    why,
    fix,
    state: 'Nothing was run as root there.',
  });
}

/** Root is needed, and the site file gives no way to become it. */
export function notRoot(host: SiteHost): DeliverError {
  return new DeliverError('E_SUDO', {
    what: `Root is needed on ${where(host)}, and ${userOf(host)} is not root.`,
    fix: `Write sudo: true for host ${host.name} in the site file (and sudoPassword: where sudo asks for one), or user: root.`,
    state: 'Nothing was run as root there.',
  });
}

function explain(host: SiteHost, said: string, missing: boolean): { why: string; fix: string } {
  const user = userOf(host);
  if (missing) return { why: 'sudo is not installed there', fix: 'Install sudo, or log in with user: root.' };
  if (/must have a tty/i.test(said)) {
    return {
      why: 'sudo there wants a terminal (requiretty)',
      fix: `Add to its sudoers: Defaults:${user} !requiretty (or install script(1) of util-linux there)`,
    };
  }
  if (/password is required|no password was provided|a terminal is required/i.test(said) && !/incorrect|try again/i.test(said)) {
    return {
      why: 'sudo asks for a password, and the site file gives none',
      fix: `Add sudoPassword: "\${secret.name}" to host ${host.name} in the site file.`,
    };
  }
  if (/not in the sudoers|not allowed|may not run/i.test(said)) {
    return { why: `${user} may not run sh as root there`, fix: `Add to its sudoers: ${user} ALL=(root) ALL` };
  }
  if (/incorrect|try again/i.test(said))
    return { why: 'its password for sudo is wrong', fix: 'Correct the secret of sudoPassword: (or password:).' };
  return { why: said.trim().split('\n').at(-1) ?? 'no reason given', fix: `Try by hand on that host as ${user}: sudo sh -c id` };
}
