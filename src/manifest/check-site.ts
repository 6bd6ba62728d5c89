import { checkGraph, type GraphNode } from './check-graph.ts';
import { endpointProblem } from './ip-address.ts';
import { namesOf, repeated, type Part } from './parts.ts';
import type { JsonPath, Problem } from './problem.ts';
import { itemsAt, listAt, mapAt, textAt, type Raw } from './raw.ts';
import { publicKeyProblem, trustedKeyProblem } from './ssh-public-key.ts';
import { didYouMean } from './suggest.ts';

/** What no schema can say about a site: hosts that must exist, circles of bastions, keys and addresses that must parse. */
export function checkSite(raw: Raw): Problem[] {
  const hosts = namesOf(raw.hosts, ['hosts']);
  const known = new Set(hosts.map(({ value }) => value));
  const text = (path: JsonPath): Part<string>[] => textAt(raw, path);
  const named = [
    ...Object.keys(mapAt(raw, ['roles'])).flatMap((role) => listAt(raw, ['roles', role])),
    ...text(['registry', 'via']),
    ...text(['cluster', 'via']),
    ...text(['cluster', 'from']),
  ];
  const trusted = [...listAt(raw, ['trust']), ...listAt(raw, ['trust', 'keys'])];
  const keys = hosts.flatMap(({ path }) => text([...path.slice(0, -1), 'hostKey']));
  const endpoints = Object.keys(mapAt(raw, ['externals'])).flatMap((name) =>
    itemsAt(raw, ['externals', name]).flatMap((at) => textAt(raw, [...at, 'ip'])),
  );
  const jumps = hosts.map(({ path, value }): GraphNode => ({ name: value, needs: text([...path.slice(0, -1), 'via']) }));
  return [
    ...repeated(hosts).map(({ path, value }) => ({ path, message: `the host “${value}” is here twice` })),
    ...checkGraph(jumps, known, 'host'),
    ...named
      .filter(({ value }) => !known.has(value))
      .map(({ path, value }) => ({ path, message: `there is no host “${value}”.${didYouMean(value, known)}` })),
    ...judged(keys, publicKeyProblem),
    ...judged(trusted, trustedKeyProblem),
    ...judged([...listAt(raw, ['ingress', 'addresses']), ...endpoints], endpointProblem),
    ...judged(text(['registry', 'host']), hostProblem),
    ...judged(text(['registry', 'project']), projectProblem),
    ...exclusive(raw),
  ];
}

function judged(parts: readonly Part<string>[], judge: (text: string) => string | undefined): Problem[] {
  return parts.flatMap(({ path, value }) => {
    const message = judge(value);
    return message === undefined ? [] : [{ path, message }];
  });
}

function hostProblem(host: string): string | undefined {
  if (host.includes('://')) return 'must be a host name without https:// (plainHttp: true for http)';
  if (host.includes('/')) return 'must be a host name alone; a path goes to project:';
  return /^(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d+)?$/.test(host) ? undefined : 'must be host or host:port';
}

/** Harbor's rule (src/pkg/project/manager.go). */
function projectProblem(project: string): string | undefined {
  return /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(project) && project.length <= 255
    ? undefined
    : 'must be the name of one project: lower-case letters and digits joined by single “.”, “_” or “-”';
}

function exclusive(raw: Raw): Problem[] {
  const problems: Problem[] = [];
  const cluster = mapAt(raw, ['cluster']);
  if (cluster.kubeconfig !== undefined && cluster.from !== undefined) {
    problems.push({ path: ['cluster', 'from'], message: 'say either kubeconfig or from: one place to get it from' });
  }
  const registry = mapAt(raw, ['registry']);
  if ((registry.username === undefined) !== (registry.password === undefined)) {
    problems.push({ path: ['registry'], message: 'username and password go together: one is missing' });
  }
  return problems;
}
