import type { Bundle } from '../bundle/bundle.ts';
import { HashPool } from '../bundle/hash-pool.ts';
import { loadTrustPolicy, type TrustPolicy } from '../bundle/signature/load-trusted-keys.ts';
import { examineBundle, type ExaminedBundle } from '../bundle/open-bundle.ts';
import { assess, type Assessment } from '../carry/assess.ts';
import { judgeCarry } from '../carry/carry-trust.ts';
import { checkLeaves, type LeafStates } from '../carry/check-leaves.ts';
import { canScan, scanSet, type Scanned } from '../carry/scan-set.ts';
import { allVolumes } from '../carry/manifest.ts';
import { openCarry, type OpenCarry } from '../carry/open-carry.ts';
import { pictureOf } from '../carry/picture.ts';
import { resendCode } from '../carry/resend-code.ts';
import { runsText } from '../carry/runs.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow, Report, Step } from '../core/report.ts';
import { verifyFlow, type InsideBundle, type VerifyInput, type VerifyResult } from './verify.ts';

/** The volumes first, with a picture of each; then the bundle inside them, in place. Every byte is read once. */
export function verifyCarryFlow(input: VerifyInput): Flow<VerifyResult> {
  let inside: InsideBundle = { examine: () => examineBundle(input.bundlePath), whole: new Set() };
  const bundle = verifyFlow(input, () => inside);
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
      const examined = await openInside(input.bundlePath);
      try {
        const set = await openCarry(input.bundlePath);
        try {
          const { states, whole } = await lookThrough(set, examined, report, signal);
          const assessment = assess(set.carry, states);
          for (const line of pictureOf(states, assessment)) report.note(line);
          if (assessment.bad > 0) throw damaged(set, assessment);
          inside = { ...examined, whole };
          return { summary: `${countText(allVolumes(set.carry).length, 'volume')} whole` };
        } finally {
          await set.close();
        }
      } catch (error) {
        await examined.bundle?.close();
        throw error;
      }
    },
  };
  return { steps: [trust, volumes, ...bundle.steps], result: () => bundle.result() };
}

/** The bundle in the volumes, where it can be opened; what is wrong with it is told after the volumes. */
async function openInside(path: string): Promise<{ readonly bundle?: Bundle; examine(): Promise<ExaminedBundle> }> {
  try {
    const examined = await examineBundle(path);
    return { bundle: examined.bundle, examine: async () => examined };
  } catch (error) {
    return {
      examine: async () => {
        throw error;
      },
    };
  }
}

/** Leaves and blobs in one pass; leaves alone where the bundle can't be read through the volumes as they are. */
async function lookThrough(
  set: OpenCarry,
  { bundle }: { readonly bundle?: Bundle },
  report: Report,
  signal: AbortSignal,
): Promise<Scanned> {
  if (bundle !== undefined && canScan(set)) return scanSet(set, bundle.plan, report, signal);
  const pool = new HashPool();
  try {
    return { states: await checkLeaves(set, pool, report, signal), whole: new Set() };
  } finally {
    await pool.close();
  }
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
  const lost = mibText(bad, 'of the carry set is damaged or missing', 'of the carry set are damaged or missing');
  if (mendable) {
    return new DeliverError('E_CARRY_DAMAGED', {
      what: `${lost}; parity can mend all of it.`,
      fix: `deliver repair ${folder}`,
      state: 'The bundle inside was not checked.',
    });
  }
  const code = resendCode(carry, resend);
  const count = resend.reduce((sum, run) => sum + run.count, 0);
  const parity = carry.parity.volumes.length;
  return new DeliverError('E_CARRY_DAMAGED', {
    what: `${lost}; ${mibText(count, 'of the bundle has', 'of the bundle have')} to come again.`,
    why: parity === 0 ? 'There are no parity volumes.' : `More is lost than ${countText(parity, 'parity volume')} can mend.`,
    fix: [
      `Copy what is damaged or missing again, or read this code to the packager:`,
      `    ${code}`,
      `and bring the file that they make, in the folder of the bundle, with:`,
      `    deliver resend ${quoted(carry.bundle.name)} ${code}`,
      ...(parity === 0 ? [] : [`Put it beside the volumes, then: deliver repair ${folder}`]),
    ].join('\n'),
    state: 'The bundle inside was not checked.',
    details: [`The code covers MiB ${runsText(resend)} of ${carry.bundle.name}.`],
  });
}

/** `1 MiB is damaged`, `5 MiB are damaged`. */
function mibText(count: number, one: string, more: string): string {
  return `${String(count)} MiB ${count === 1 ? one : more}`;
}

/** A file name as a shell takes it. */
function quoted(name: string): string {
  return /^[\w.][\w.+@%-]*$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
}

function titleOf({ carry }: OpenCarry): string {
  const parity = carry.parity.volumes.length === 0 ? '' : ` + ${String(carry.parity.volumes.length)} parity`;
  const { name, version } = carry.release;
  return `${name} ${version} · ${countText(carry.volumes.length, 'volume')}${parity} of ${bytesText(Math.min(carry.volumeSize, carry.bundle.size))}`;
}

/** @throws DeliverError E_SIGNATURE, E_UNTRUSTED, E_EXPIRED */
function trustLine(set: OpenCarry, policy: TrustPolicy, allowUnsigned: boolean): string {
  const trust = judgeCarry(set.carry, policy, set.folder, { allowUnsigned });
  // Its hashes only find damage; what counts in the end is the signature of the bundle inside.
  if (trust === undefined) return 'carry manifest not signed';
  if (trust.accepted !== undefined) return `carry manifest ${trust.accepted}, accepted as asked for`;
  return `signed by ${trust.signers.map(({ name, fingerprint }) => (name === '' ? fingerprint : name)).join(', ')}`;
}

function oddities({ carry, files, manifests, otherwiseSigned, damagedManifests, foreign }: OpenCarry): readonly string[] {
  const volumes = allVolumes(carry);
  return [
    ...files.flatMap((file, index) => {
      const volume = volumes[index];
      if (file === undefined || volume === undefined) return [];
      const renamed = file.name === volume.name ? [] : [`${file.name} is ${volume.name}, renamed`];
      const more = file.size - volume.size;
      return more > 0 ? [...renamed, `${file.name} is ${bytesText(more)} too long; the rest is not read`] : renamed;
    }),
    ...otherwiseSigned.map((name) => `${name} has other signatures than ${manifests[0] ?? ''}, which counts`),
    ...damagedManifests.map((name) => `${name} is a carry manifest that is damaged`),
    ...(manifests.length + otherwiseSigned.length + damagedManifests.length === 1
      ? [`only ${manifests[0] ?? ''} is there of the two carry manifests`]
      : []),
    ...foreign.map((name) => `${name} does not belong to this carry set`),
  ];
}
