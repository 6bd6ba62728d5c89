import { bytesText } from '../../core/amounts.ts';
import { check, type Check } from './check.ts';
import { buildChecks } from './build.ts';
import { certainSkew, relativeTo, skewText, type Skew } from './clock.ts';
import { containerdChecks } from './containerd.ts';
import type { HostFacts } from './host-facts.ts';
import type { PreflightNeeds } from './preflight-needs.ts';
import { runsOn } from '../platform.ts';

const WARN_SKEW = 5_000;
const FAIL_SKEW = 300_000;
/** Below this share of free space the kubelet deletes images and then evicts pods (its default image GC thresholds). */
const KUBELET_LOW = 0.15;

/** Checks of one node from what the probe found. */
export function nodeChecks(host: string, facts: HostFacts, needs: PreflightNeeds): Check[] {
  const duty = needs.build?.duties.get(host);
  if (needs.build !== undefined && duty !== undefined && facts.build !== undefined)
    return buildChecks(host, facts.platform, facts.build, duty, needs.build);
  return [
    platformCheck(host, facts, needs),
    ...diskChecks(host, facts, needs),
    ...registryChecks(host, facts, needs),
    ...containerdChecks(host, facts, needs.runtime),
  ];
}

/** Clocks of all hosts against the first one, and this machine's against it too. */
export function clockChecks(skews: readonly { readonly host: string; readonly skew: Skew }[]): Check[] {
  const clock = check('clock', 'clock');
  const [first, ...others] = skews;
  if (first === undefined) return [];
  const here: Skew = { ahead: -first.skew.ahead, error: first.skew.error };
  const checks = others.map(({ host, skew }) => {
    const relative = relativeTo(skew, first.skew);
    const found = `${skewText(relative)} ${first.host}`;
    const certain = certainSkew(relative);
    const fix = `chronyc makestep on ${host} and ${first.host}, and let both follow one time server`;
    if (certain > FAIL_SKEW) return clock.fail({ host, found: `${found}: certificates and tokens are refused`, fix });
    if (certain > WARN_SKEW) return clock.warn({ host, found: `${found}: pods will start, tokens may be refused`, fix });
    return clock.pass({ host, found });
  });
  const found = `this machine is ${skewText(here)} ${first.host}`;
  const own =
    certainSkew(here) > WARN_SKEW
      ? clock.warn({
          host: first.host,
          found,
          fix: `Set the clock of this machine or of ${first.host}: certificates and times in reports are off.`,
        })
      : clock.pass({ host: first.host, found });
  return [own, ...checks];
}

function platformCheck(host: string, { platform }: HostFacts, { platforms }: PreflightNeeds): Check {
  const machine = check('platform', 'platform');
  // Without a release there is none that it could be wrong for.
  if (platforms.length === 0) return machine.pass({ host, found: platform });
  if (runsOn(platforms, platform)) return machine.pass({ host, found: platform });
  return machine.fail({
    host,
    found: `${platform}, and the release has images for ${platforms.join(', ')}`,
    fix: `On the connected side add ${platform} to platforms: of the release, resolve and pack again.`,
  });
}

function diskChecks(host: string, { disk }: HostFacts, { imageBytes }: PreflightNeeds): Check[] {
  const room = check('disk', 'free disk');
  if (disk === undefined) return [room.warn({ host, found: 'the free space below /var/lib/containerd can’t be told' })];
  // Layers lie there compressed and unpacked; unpacked ones are larger, shared ones are counted once.
  const needed = imageBytes * 2;
  const found = `${bytesText(disk.free)} free on ${disk.mount} for containerd; ${bytesText(needed)} needed (twice the ${bytesText(imageBytes)} of images)`;
  if (disk.free < needed)
    return [
      room.fail({
        host,
        found,
        fix: `Free at least ${bytesText(needed - disk.free)} on ${disk.mount} of ${host}: crictl rmi --prune`,
      }),
    ];
  if (disk.free - needed < disk.total * KUBELET_LOW) {
    return [
      room.warn({
        host,
        found: `${found}: less than 15 % would be left, where the kubelet starts to delete images`,
        fix: `Give ${disk.mount} of ${host} more room.`,
      }),
    ];
  }
  return [room.pass({ host, found })];
}

function registryChecks(host: string, facts: HostFacts, { registry }: PreflightNeeds): Check[] {
  if (registry === undefined) return [];
  const bare = registry.host.replace(/:\d+$/, '');
  const byName = check('registry-name', 'name of the registry');
  const addresses = facts.registryAddresses;
  const list = (addresses ?? []).join(', ');
  const hostsLine = `Add to /etc/hosts of ${host}:  ${registry.address ?? '<address of the registry>'} ${bare}`;
  let name: Check;
  if (addresses === undefined) name = byName.warn({ host, found: 'no getent there to ask with' });
  else if (addresses.length === 0) name = byName.fail({ host, found: `${bare} can’t be resolved`, fix: hostsLine });
  else if (registry.address !== undefined && !addresses.includes(registry.address)) {
    name = byName.warn({
      host,
      found: `${bare} is ${list} there, and ${registry.address} in the site file`,
      fix: `If ${registry.address} is right: ${hostsLine}`,
    });
  } else name = byName.pass({ host, found: `${bare} is ${list}` });
  return name.outcome === 'fail' ? [name] : [name, reachCheck(host, facts, registry.host)];
}

function reachCheck(host: string, { registryAnswer }: HostFacts, registry: string): Check {
  const reach = check('registry-reach', 'way to the registry');
  if (registryAnswer === undefined) return reach.warn({ host, found: 'no curl there to try with' });
  const { status, curlCode } = registryAnswer;
  // 401 is how a registry asks for a login.
  if (status === 200 || status === 401) return reach.pass({ host, found: `${registry} answers` });
  const found =
    status > 0 ? `${registry}/v2/ answers with HTTP ${String(status)}` : `no answer from ${registry} (${curlReason(curlCode)})`;
  return reach.fail({
    host,
    found,
    fix: `Check that the registry runs and that no firewall is between ${host} and it: curl -k https://${registry}/v2/`,
  });
}

function curlReason(code: number): string {
  const reasons: Readonly<Record<number, string>> = {
    6: 'name not resolved',
    7: 'connection refused or no route',
    28: 'timeout',
    35: 'TLS handshake failed',
    52: 'empty answer',
  };
  return reasons[code] ?? `curl ended with ${String(code)}`;
}
