import { DeliverError, messageOf, systemCode } from '../core/errors.ts';
import type { SiteHost } from '../manifest/site-schema.ts';
import type { Credentials } from './credentials.ts';
import { portOf, userOf, where } from './endpoint.ts';
import type { Login } from './login.ts';

const REASONS: Readonly<Record<string, { why: string; fix: string }>> = {
  ECONNREFUSED: { why: 'nothing listens on that port', fix: 'Start sshd there, or correct address: and port: in the site file.' },
  EHOSTUNREACH: { why: 'no route to that address', fix: 'Check the network, or name the host to jump through as via:.' },
  ENETUNREACH: { why: 'no route to that network', fix: 'Check the network, or name the host to jump through as via:.' },
  ENOTFOUND: { why: 'that name can’t be resolved here', fix: 'Write its IP address as address: in the site file.' },
  EAI_AGAIN: { why: 'the name server does not answer', fix: 'Write its IP address as address: in the site file.' },
  ECONNRESET: {
    why: 'the host closed the connection',
    fix: 'Look at the sshd log of the host (MaxStartups, firewall, hosts.deny).',
  },
};

/** The host could not be reached by TCP, directly or through its bastion. */
export function unreachable(host: SiteHost, cause: unknown): DeliverError {
  const reason = REASONS[systemCode(cause) ?? codeInMessage(messageOf(cause))];
  return new DeliverError('E_SSH', {
    what: `Host ${where(host)} can’t be reached.`,
    why: reason === undefined ? messageOf(cause) : `${reason.why} (${messageOf(cause)})`,
    fix: forwardingDenied(cause, host) ?? reason?.fix ?? 'Check address:, port: and via: of the host in the site file.',
    cause,
  });
}

/** No answer in time; `phase` is “connection” or “handshake”. */
export function noAnswer(host: SiteHost, milliseconds: number, phase: 'connection' | 'handshake'): DeliverError {
  const port = `port ${String(portOf(host))}`;
  return new DeliverError('E_SSH', {
    what: `Host ${where(host)} does not answer within ${String(milliseconds / 1000)} s.`,
    why:
      phase === 'connection'
        ? `no connection to ${port}: the host is down, or a firewall drops the packets`
        : `${port} is open, but the login was not done in time`,
    fix:
      phase === 'connection'
        ? 'Check that it is up and its address: right, or name the host to jump through as via:.'
        : 'Check that sshd listens on that port. Where its name server is unreachable, set UseDNS no in sshd_config.',
  });
}

/** The login failed, or the handshake did. */
export function notLoggedIn(host: SiteHost, credentials: Credentials, login: Login, cause: unknown): DeliverError {
  const message = messageOf(cause);
  if (login.offered === undefined && login.tried.length === 0 && !/auth/i.test(message)) return handshakeFailed(host, cause);
  const tried = login.tried.length === 0 ? 'nothing could be tried' : `tried ${login.tried.join(', ')}`;
  const offered = login.offered === undefined ? '' : `; the host takes ${login.offered.join(', ')}`;
  const known = message.includes('All configured authentication methods failed') ? '' : ` (${message})`;
  return new DeliverError('E_SSH_AUTH', {
    what: `${where(host)} does not let ${userOf(host)} in.`,
    why: `${tried}${offered}${known}`,
    fix:
      `Put the public key into ~${userOf(host)}/.ssh/authorized_keys on the host and name the private one as key:, ` +
      `or load it into the agent (ssh-add), or give password: "\${secret.name}" in the site file.`,
    ...(credentials.skipped.length === 0 ? {} : { details: credentials.skipped.map((reason) => `not tried: ${reason}`) }),
    cause,
  });
}

/** The connection ended while something was going on. */
export function connectionLost(host: SiteHost, during: string, cause?: unknown): DeliverError {
  return new DeliverError('E_SSH', {
    what: `The connection to ${where(host)} broke in the middle of ${during}.`,
    ...(cause === undefined ? {} : { why: messageOf(cause), cause }),
    fix: 'Run the same command again: it goes on where it stopped.',
    state: 'Whether that last action was finished on the host is not known.',
  });
}

function handshakeFailed(host: SiteHost, cause: unknown): DeliverError {
  const message = messageOf(cause);
  const old = /no matching/i.test(message);
  return new DeliverError('E_SSH', {
    what: `No SSH connection to ${where(host)}.`,
    why: old ? `deliver and its sshd have no algorithm in common (${message})` : message,
    fix: old
      ? 'Update sshd on the host: it offers only what is no longer safe.'
      : 'Check that sshd answers on that port, and its log.',
    cause,
  });
}

function codeInMessage(message: string): string {
  if (/refused/i.test(message)) return 'ECONNREFUSED';
  if (/no route/i.test(message)) return 'EHOSTUNREACH';
  return /resolve|not known|name or service/i.test(message) ? 'ENOTFOUND' : '';
}

function forwardingDenied(cause: unknown, host: SiteHost): string | undefined {
  if (host.via === undefined || !/prohibited/i.test(messageOf(cause))) return undefined;
  return `Allow it on ${host.via}: AllowTcpForwarding yes (and PermitOpen) in its sshd_config.`;
}
