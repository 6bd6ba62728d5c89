import type { ErrorCode } from '../core/error-codes.ts';
import { DeliverError, isDeliverError, messageOf, systemCode, type ErrorFacts } from '../core/errors.ts';
import { redact } from '../core/secret.ts';
import { HttpProblem } from './http-problem.ts';
import type { RegistryOptions } from './options.ts';

export interface ErrorContext extends Pick<RegistryOptions, 'role' | 'host'> {
  readonly base: URL;
  /** What was tried, as it goes on after “could not”: `upload blob sha256:… to quay.io/a/b`. */
  readonly doing: string;
  /** Name of the account that was used. */
  readonly user: string | undefined;
}

/** What a person is told about a failed request. Anything that is neither an answer nor a broken connection is returned as it came. */
export function explain(error: unknown, context: ErrorContext): unknown {
  if (isDeliverError(error)) return error;
  const facts = error instanceof HttpProblem ? answerFacts(error, context) : connectionFacts(error, context);
  if (facts === undefined) return error;
  const { code, ...rest } = facts;
  return new DeliverError(code, {
    what: `${context.host}: could not ${context.doing}.`,
    ...rest,
    ...(rest.why === undefined ? {} : { why: redact(rest.why) }),
    cause: error,
  });
}

type Facts = Pick<ErrorFacts, 'why' | 'fix'> & { readonly code: ErrorCode };

function answerFacts(problem: HttpProblem, context: ErrorContext): Facts {
  return context.role === 'source' ? sourceFacts(problem, context) : siteFacts(problem, context);
}

function sourceFacts(problem: HttpProblem, context: ErrorContext): Facts {
  const why = problem.message;
  switch (problem.status) {
    case 401:
    case 403:
      return { code: 'E_SOURCE_AUTH', why, fix: loginFix(context) };
    case 404:
      return { code: 'E_SOURCE_NOT_FOUND', why, fix: 'Check the name, the tag and sources.registries in the release.' };
    case 429:
      return {
        code: 'E_SOURCE',
        why,
        fix: `${context.host} limits how much is pulled. Log in, use a mirror (sources.registries), or wait.`,
      };
    default:
      return { code: 'E_SOURCE', why, ...hint(schemeFix(problem, context)) };
  }
}

function loginFix(context: ErrorContext): string {
  return context.user === undefined
    ? `If it is private: docker login ${context.host}. Many registries answer this for names that don’t exist, too.`
    : `The account ${context.user} may not read this. Many registries answer this for names that don’t exist, too.`;
}

function siteFacts(problem: HttpProblem, context: ErrorContext): Facts {
  const why = problem.message;
  if (problem.emptyChallenge) {
    const name = /project (\S+) not found/.exec(problem.text)?.[1];
    return {
      code: 'E_REGISTRY',
      why: `The Harbor has no project ${name === undefined ? 'for this path' : `“${name}”`} (401 without a challenge).`,
      fix: 'Create the project, or use an account that may create projects.',
    };
  }
  if (problem.diskFull)
    return {
      code: 'E_REGISTRY_FULL',
      why,
      fix: `Free space on the disk of ${context.host}, then run the same command again. Broken uploads stay there until it purges them (Harbor: after a week).`,
    };
  switch (problem.status) {
    case 401:
      return { code: 'E_REGISTRY_AUTH', why, fix: accountFix(context) };
    case 403:
      if (/read.?only/i.test(problem.text))
        return {
          code: 'E_REGISTRY_READ_ONLY',
          why,
          fix: 'Wait for the garbage collection to end, or have an administrator switch read-only mode off.',
        };
      if (/storage resource|quota/i.test(problem.text))
        return {
          code: 'E_REGISTRY_QUOTA',
          why,
          fix: 'Have an administrator raise the project’s quota, or remove old artifacts.',
        };
      return { code: 'E_REGISTRY_AUTH', why, fix: accountFix(context) };
    case 412:
      if (/immutable/i.test(problem.text))
        return {
          code: 'E_REGISTRY_IMMUTABLE',
          why,
          fix: 'The tag holds something else and may not change. Release under a new tag, or have the rule changed.',
        };
      return { code: 'E_REGISTRY', why };
    case 413:
      return {
        code: 'E_REGISTRY',
        why,
        fix: `A proxy before ${context.host} limits the size of uploads (nginx: client_max_body_size 0).`,
      };
    default:
      if (problem.status >= 500)
        return {
          code: 'E_REGISTRY',
          why,
          fix: `Look at the log and the free disk space of ${context.host}, then run the same command again.`,
        };
      return { code: 'E_REGISTRY', why, ...hint(schemeFix(problem, context)) };
  }
}

function accountFix(context: ErrorContext): string {
  return context.user === undefined
    ? 'This registry wants an account: registry.username and registry.password in the site file, or --username with --password-stdin.'
    : `Check the password of ${context.user}, and that this account may pull and push here.`;
}

function hint(fix: string | undefined): { fix?: string } {
  return fix === undefined ? {} : { fix };
}

function schemeFix(problem: HttpProblem, context: ErrorContext): string | undefined {
  const httpToTls = problem.status === 400 && /plain HTTP request|HTTP request to an HTTPS/i.test(problem.text);
  return httpToTls ? `${context.host} speaks https: leave plain HTTP out.` : undefined;
}

function connectionFacts(error: unknown, context: ErrorContext): Facts | undefined {
  const code = systemCode(error);
  if (code === undefined) return undefined;
  const base = context.role === 'source' ? 'E_SOURCE' : 'E_REGISTRY';
  // Node's advice on its own options is not for our users.
  const message = messageOf(error).replace(/; if the root CA is installed locally.*$/, '');
  return { code: base, why: `${message} (${code}, ${context.base.origin})`, fix: connectionFix(code, messageOf(error), context) };
}

function connectionFix(code: string, message: string, context: ErrorContext): string {
  const { host } = context;
  const where = context.role === 'source' ? 'sources.registries in the release' : 'the site file or the command line';
  if (code === 'ENOTFOUND')
    return `The name ${host} is unknown here. Check it${context.role === 'site' ? ', or set registry.address in the site file' : ''}.`;
  if (
    code === 'EPROTO' ||
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    /wrong version number|packet length too long/i.test(message)
  ) {
    return `${host} doesn’t speak TLS on this port. If that is intended, set plain HTTP (${where}).`;
  }
  if (/HOSTNAME_MISMATCH|ALTNAME/.test(code))
    return `The certificate of ${host} is for another name. Use that name, or have the certificate replaced.`;
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED/.test(code))
    return `The certificate of ${host} is not trusted here. Give its CA (ca: in ${where}).`;
  if (code === 'ECONNREFUSED')
    return `Nothing answers at ${context.base.origin}. Check that it runs and the port is right, then run the same command again.`;
  return `Check the network to ${host} and that it runs, then run the same command again.`;
}
