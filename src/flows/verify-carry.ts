import { HashPool } from '../bundle/hash-pool.ts';
import { loadTrustPolicy, type TrustPolicy } from '../bundle/load-trusted-keys.ts';
import { assess, type Assessment } from '../carry/assess.ts';
import { judgeCarry } from '../carry/carry-trust.ts';
import { checkLeaves, type LeafStates } from '../carry/check-leaves.ts';
import { allVolumes } from '../carry/manifest.ts';
import { openCarry, type OpenCarry } from '../carry/open-carry.ts';
import { pictureOf } from '../carry/picture.ts';
import { resendCode } from '../carry/resend-code.ts';
import { runsText } from '../carry/runs.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow, Report, Step } from '../core/report.ts';
import { verifyFlow, type VerifyInput, type VerifyResult } from './verify.ts';

/** The volumes first, with a picture of each; then the bundle inside them, in place. */
export function verifyCarryFlow(input: VerifyInput): Flow<VerifyResult> {
  const inside = verifyFlow(input);
  const trust: Step = {
    id: 'carry',
    title: 'Carry set',
    async run(report) {
      const policy = await loadTrustPolicy(input.trust, input.threshold);
      const set = await openCarry(input.bundlePath);
      try {
        for (const line of oddities(set)) report.note(line);
        return { summary: `${titleOf(set)} · ${trustLine(set, policy, input.allowUnsigned === true)}` };
      } finally {
        await set.close();
      }
    },
  };
  const volumes: Step = {
    id: 'volumes',
    title: 'Volumes',
    async run(report, signal) {
      return withLeaves(input.bundlePath, report, signal, (set, states) => {
        const assessment = assess(set.carry, states);
        for (const line of pictureOf(states, assessment)) report.note(line);
        const { bad } = assessment;
        if (bad > 0) throw damaged(set, assessment);
        return { summary: `${countText(allVolumes(set.carry).length, 'volume')} whole` };
      });
    },
  };
  return { steps: [trust, volumes, ...inside.steps], result: () => inside.result() };
}

/** Opens a carry set and hashes all its leaves. */
export async function withLeaves<Value>(
  path: string,
  report: Report,
  signal: AbortSignal,
  work: (set: OpenCarry, states: LeafStates) => Promise<Value> | Value,
): Promise<Value> {
  const set = await openCarry(path);
  const pool = new HashPool();
  try {
    return await work(set, await checkLeaves(set, pool, report, signal));
  } finally {
    await pool.close();
    await set.close();
  }
}

/** The error for a set that is not whole, with what would make it so. */
export function damaged({ carry, folder }: OpenCarry, { bad, mendable, resend }: Assessment): DeliverError {
  if (mendable) {
    return new DeliverError('E_CARRY_DAMAGED', {
      what: `${String(bad)} MiB of the carry set are damaged or missing; parity can mend all of it.`,
      fix: `deliver repair ${folder}`,
      state: 'The bundle inside was not checked.',
    });
  }
  const code = resendCode(carry, resend);
  const count = resend.reduce((sum, run) => sum + run.count, 0);
  const parity = carry.parity.volumes.length;
  return new DeliverError('E_CARRY_DAMAGED', {
    what: `${String(bad)} MiB of the carry set are damaged or missing; ${String(count)} MiB of the bundle have to come again.`,
    why: parity === 0 ? 'There are no parity volumes.' : `More is lost than ${countText(parity, 'parity volume')} can mend.`,
    fix: [
      `Copy what is damaged or missing again, or read this code to the packager:`,
      `    ${code}`,
      `and bring the file that they make with: deliver resend ${carry.bundle.name} ${code}`,
      ...(parity === 0 ? [] : [`Put it beside the volumes, then: deliver repair ${folder}`]),
    ].join('\n'),
    state: 'The bundle inside was not checked.',
    details: [`The code covers MiB ${runsText(resend)} of ${carry.bundle.name}.`],
  });
}

function titleOf({ carry }: OpenCarry): string {
  const parity = carry.parity.volumes.length === 0 ? '' : ` + ${String(carry.parity.volumes.length)} parity`;
  const { name, version } = carry.release;
  return `${name} ${version} · ${countText(carry.volumes.length, 'volume')}${parity} of ${bytesText(Math.min(carry.volumeSize, carry.bundle.size))}`;
}

/** @throws DeliverError E_SIGNATURE, E_UNTRUSTED */
function trustLine(set: OpenCarry, policy: TrustPolicy, allowUnsigned: boolean): string {
  const trust = judgeCarry(set.carry, policy.keys, set.folder);
  if (trust.state === 'trusted') return `signed by ${trust.name === '' ? trust.fingerprint : trust.name}`;
  // Its hashes only find damage; what counts in the end is the signature of the bundle inside.
  if (trust.state === 'unsigned') return 'carry manifest not signed';
  const by = trust.fingerprints.join(', ');
  if (allowUnsigned) return `carry manifest signed by ${by}, accepted as asked for`;
  throw new DeliverError('E_UNTRUSTED', {
    what: `The carry manifest in ${set.folder} is signed, but by no key that is trusted here.`,
    why: `Signed by ${by}.`,
    fix: 'Compare the fingerprint with the packager; then give the key with --trust KEY.pub.',
  });
}

function oddities({ carry, files, manifests, foreign }: OpenCarry): readonly string[] {
  const volumes = allVolumes(carry);
  return [
    ...files.flatMap((file, index) => {
      const volume = volumes[index];
      if (file === undefined || volume === undefined) return [];
      const renamed = file.name === volume.name ? [] : [`${file.name} is ${volume.name}, renamed`];
      const more = file.size - volume.size;
      return more > 0 ? [...renamed, `${file.name} is ${bytesText(more)} too long; the rest is not read`] : renamed;
    }),
    ...(manifests.length === 1 ? [`only ${manifests[0] ?? ''} is there of the two carry manifests`] : []),
    ...foreign.map((name) => `${name} does not belong to this carry set`),
  ];
}
