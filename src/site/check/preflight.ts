import pLimit from 'p-limit';
import { DeliverError, excerpt, isDeliverError } from '../../core/errors.ts';
import type { Report } from '../../core/report.ts';
import type { SiteHost } from '../../manifest/site-schema.ts';
import type { HostConnection, HostConnector } from '../../ssh/port.ts';
import { parseBuildFacts } from './facts.ts';
import { identityChecks } from './identity.ts';
import { cidrChecks } from './network.ts';
import { buildQuestions } from './script.ts';
import { checkThat, type Check } from './check.ts';
import { clockChecks, nodeChecks } from './host.ts';
import { missingPrograms, parseProbe, type HostFacts } from './host-facts.ts';
import { lacking, neededPrograms } from './programs.ts';
import type { PreflightNeeds } from './preflight-needs.ts';
import { probeScript } from './probe-script.ts';

const AT_ONCE = 8;
const PROBE_TIMEOUT = 60_000;

interface Probed {
  readonly host: SiteHost;
  readonly checks: readonly Check[];
  readonly facts?: HostFacts;
}

/**
 * Looks at every host, eight at a time, and changes nothing. A host that can't be reached is a failed check with its error code.
 * @throws DeliverError E_INTERRUPTED only
 */
export async function preflightHosts(
  connector: HostConnector,
  hosts: readonly SiteHost[],
  needs: PreflightNeeds,
  report: Report,
  signal: AbortSignal,
): Promise<Check[]> {
  const limit = pLimit(AT_ONCE);
  let done = 0;
  const probed = await Promise.all(
    hosts.map((host) =>
      limit(async () => {
        const result = await probe(connector, host, needs, signal);
        report.progress({ done: ++done, total: hosts.length, unit: 'items', detail: host.name });
        return result;
      }),
    ),
  );
  const clocks = probed.flatMap(({ host, facts }) => (facts?.skew === undefined ? [] : [{ host: host.name, skew: facts.skew }]));
  // Nodes first: what matters is how far the clocks of the cluster are apart.
  const isNode = (name: string): number => Number(needs.nodes.includes(name));
  const asked = probed.flatMap(({ host, facts }) =>
    facts?.build === undefined ? [] : [{ host: host.name, facts: facts.build }],
  );
  return [
    ...probed.flatMap(({ checks }) => checks),
    ...(needs.build === undefined ? [] : [...identityChecks(asked), ...cidrChecks(needs.build)]),
    ...clockChecks(clocks.toSorted((a, b) => isNode(b.host) - isNode(a.host))),
  ];
}

async function probe(connector: HostConnector, host: SiteHost, needs: PreflightNeeds, signal: AbortSignal): Promise<Probed> {
  let connection: HostConnection | undefined;
  const login = await checkThat(
    'ssh',
    'SSH',
    async () => {
      connection = await connector.connect(host.name, signal);
      return {};
    },
    host.name,
  );
  if (connection === undefined) return { host, checks: [login] };
  const reached = connection;
  const node = needs.nodes.includes(host.name) || needs.build?.duties.has(host.name) === true;
  const wantsRoot = node || host.sudo === true;
  let facts: HostFacts | undefined;
  let missing: readonly string[] = [];
  const look = async (sudo: boolean): Promise<void> => {
    const answer = await ask(reached, node ? needs : undefined, sudo, signal);
    if ('missing' in answer) missing = answer.missing;
    else facts = answer;
  };
  const sudo = await checkThat('sudo', wantsRoot ? 'root' : 'shell', () => look(wantsRoot).then(() => ({})), host.name);
  if (sudo.code === 'E_SUDO') await look(false).catch(rethrowInterrupt);
  if (missing.length > 0) return { host, checks: [login, sudo, lacking(host.name, missing)] };
  if (facts === undefined) return { host, checks: [login, sudo] };
  return { host, facts, checks: [login, ...(wantsRoot ? [sudo] : []), ...(node ? nodeChecks(host.name, facts, needs) : [])] };
}

async function ask(
  connection: HostConnection,
  needs: PreflightNeeds | undefined,
  sudo: boolean,
  signal: AbortSignal,
): Promise<HostFacts | { readonly missing: readonly string[] }> {
  const { name } = connection.host;
  const duty = needs?.build?.duties.get(name);
  const registry = duty === undefined ? needs?.registry : undefined;
  const script = probeScript({
    node: needs !== undefined,
    ...(duty === undefined || needs?.build === undefined
      ? {}
      : { build: buildQuestions(duty, needs.build), programs: neededPrograms(duty, needs.build) }),
    ...(registry === undefined ? {} : { registry: { host: registry.host, plainHttp: registry.plainHttp === true } }),
  });
  const asked = Date.now();
  const { code, stdout, stderr } = await connection.run(script, { sudo, timeout: PROBE_TIMEOUT, signal });
  const answered = Date.now();
  // A login shell that is no shell (nologin) answers too, and half an answer would be read as a strange machine.
  const whole = code === 0 && /^ended=/m.test(stdout);
  // A host that is only jumped through needs none.
  if (!whole && (needs !== undefined || sudo)) throw noProbe(connection.host.name, code, [stderr, stdout]);
  const missing = missingPrograms(stdout);
  if (missing.length > 0) return { missing };
  const build = parseBuildFacts(name, stdout);
  return { ...parseProbe(stdout, asked, answered), ...(build === undefined ? {} : { build }) };
}

function noProbe(host: string, code: number, outputs: readonly string[]): DeliverError {
  const said = outputs.map((text) => text.trim().split('\n').at(-1) ?? '').find((line) => line !== '');
  return new DeliverError('E_HOST', {
    what: `The questions of the preflight were not answered on ${host}.`,
    why: `The shell there ended with ${String(code)}${said === undefined ? ' and said nothing' : `: ${excerpt(said, 200)}`}`,
    fix: 'The login there needs a POSIX shell (chsh -s /bin/sh), with coreutils and awk.',
  });
}

function rethrowInterrupt(error: unknown): void {
  if (isDeliverError(error, 'E_INTERRUPTED', 'E_BUG')) throw error;
}

/** Failed checks of a list; an install refuses to start when there is one. */
export function failedChecks(checks: readonly Check[]): Check[] {
  return checks.filter(({ outcome }) => outcome === 'fail');
}
