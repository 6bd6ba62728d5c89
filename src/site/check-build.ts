import { certificateChecks } from './check-certificates.ts';
import type { Check } from './check.ts';
import type { BuildFacts } from './check-facts.ts';
import { kernelChecks } from './check-kernel.ts';
import { leftoverChecks } from './check-leftovers.ts';
import { machineChecks, platformChecks } from './check-machine.ts';
import type { BuildNeeds, HostDuty } from './check-needs.ts';
import { networkChecks } from './check-network.ts';
import { storageChecks } from './check-storage.ts';

/** Every check of one host that deliver builds on, from what its probe found. */
export function buildChecks(host: string, platform: string, facts: BuildFacts, duty: HostDuty, needs: BuildNeeds): Check[] {
  return [
    ...platformChecks(host, platform, duty, needs),
    ...machineChecks(host, facts, duty, needs),
    ...kernelChecks(host, facts, duty, needs),
    ...storageChecks(host, facts, duty),
    ...networkChecks(host, facts, duty, needs),
    ...leftoverChecks(host, facts, duty, needs),
    ...certificateChecks(host, facts, needs.certificateDays),
  ];
}
