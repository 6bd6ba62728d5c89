import { z } from 'zod';
import { onHost, type Lab } from './lab.ts';

const PKI = '/etc/deliver/etcd/pki';
/** Seconds. */
const LONGEST = 100;
const Health = z.array(z.object({ endpoint: z.string(), health: z.boolean() }));

/** A member of an etcd on hosts of its own, as etcd tells it. */
export interface Member {
  readonly id: string;
  readonly name: string;
  readonly learner: boolean;
  readonly healthy: boolean;
}

function etcdctl(lab: Lab, host: string, args: string): string {
  const keys = `--cacert=${PKI}/ca.crt --cert=${PKI}/healthcheck-client.crt --key=${PKI}/healthcheck-client.key`;
  const address = lab.hosts[host]?.address ?? host;
  return `/usr/local/bin/etcdctl --endpoints=https://${address}:2379 ${keys} --command-timeout=5s ${args}`;
}

/** Every member, by name, asked of one of them. */
export async function etcdMembers(lab: Lab, at: string): Promise<readonly Member[]> {
  // `id, started, name, peers, clients, learner`; ids are longer than a number of JavaScript.
  const list = (await onHost(lab, at, etcdctl(lab, at, 'member list -w simple'))).trim().split('\n');
  // It fails when one of them does not answer, and says which.
  const told = await onHost(lab, at, `${etcdctl(lab, at, 'endpoint health --cluster -w json')} 2>/dev/null || :`);
  const healthy = new Set(Health.parse(JSON.parse(told)).flatMap(({ endpoint, health }) => (health ? [endpoint] : [])));
  return list
    .map((line) => line.split(', '))
    .map(([id = '', , name = '', , client = '', learner = '']) => ({
      id,
      name,
      learner: learner === 'true',
      healthy: healthy.has(client),
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

/** Waits until all members answer, as long as hosts take that were just switched on; throws when they don't. */
export async function allEtcdAnswers(lab: Lab, at: string): Promise<void> {
  await until(lab, at, `${etcdctl(lab, at, 'endpoint health --cluster')} >/dev/null 2>&1`);
}

/** Tries a command on a host again until it works, or the time is over; throws then. It must be one that may run twice. */
export async function until(lab: Lab, host: string, command: string): Promise<void> {
  const script = `e=$(($(date +%s)+${String(LONGEST)})); until ${command}; do [ $(date +%s) -lt $e ] || exit 1; sleep 1; done`;
  await onHost(lab, host, script);
}
