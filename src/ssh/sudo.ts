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
  readonly input?: Uint8Array;
}

/** Without a password: sudo may not ask. */
export function withoutPassword(command: string, input?: Uint8Array): Invocation {
  return { line: `${SUDO} -n -- sh -c ${shellQuote(command)}`, ...(input === undefined ? {} : { input }) };
}

/**
 * The password is the first line of the input. Whether sudo reads it depends on the host (NOPASSWD, a cached login), so
 * the shell that sudo starts drops everything up to the mark: the password can't end up in the command's input.
 */
export function withPassword(command: string, password: Secret, input?: Uint8Array): Invocation {
  const drop = `IFS= read -r l; [ "$l" = ${MARK} ] || IFS= read -r l; [ "$l" = ${MARK} ] || exit 97; unset l`;
  const head = Buffer.from(`${password.reveal()}\n${MARK}\n`);
  return {
    line: `${SUDO} -S -p '' -- sh -c ${shellQuote(`${drop}\n${command}`)}`,
    input: input === undefined ? head : Buffer.concat([head, input]),
  };
}

/** Tries the password alone, once: with more input sudo would take the next lines for further attempts, and lock the account. */
export function passwordProbe(password: Secret): Invocation {
  return { line: `${SUDO} -k -S -p '' -- sh -c :`, input: Buffer.from(`${password.reveal()}\n`) };
}

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
    return { why: 'sudo there wants a terminal (requiretty)', fix: `Add to its sudoers: Defaults:${user} !requiretty` };
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
