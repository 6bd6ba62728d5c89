import type { Bundle } from '../bundle/bundle.ts';
import { loadTrustPolicy } from '../bundle/signature/load-trusted-keys.ts';
import { examineBundle, type ExaminedBundle } from '../bundle/open-bundle.ts';
import type { Signer } from '../bundle/signature/check-signature.ts';
import { judgeTrust, signerText, type Trust } from '../bundle/signature/trust.ts';
import { damagedError, damageLine, verifyBundle } from '../bundle/verify-bundle.ts';
import { bytesText, countText } from '../core/amounts.ts';
import type { Digest } from '../core/digest.ts';
import { isDeliverError } from '../core/errors.ts';
import type { Flow, Step, StepResult } from '../core/report.ts';
import { leftOutOf, leftOutText, type LeftOut } from './left-out.ts';

export interface VerifyInput {
  readonly bundlePath: string;
  /** Key files or key lines. */
  readonly trust: readonly string[];
  /** How many different keys must have signed, 1 when absent. */
  readonly threshold?: number;
  readonly allowUnsigned?: boolean;
}

export interface VerifyResult {
  readonly path: string;
  readonly release: string;
  readonly version: string;
  /** Digest of the release manifest. */
  readonly root: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Empty only where an unsigned bundle was accepted. */
  readonly signers: readonly Signer[];
  /** What was accepted with --allow-unsigned. */
  readonly accepted?: string;
  /** In this file. */
  readonly blobs: number;
  /** Of a delta: what it builds on, and what has to be on site already. */
  readonly base?: LeftOut;
}

/** A bundle that somebody opened already, and what of it is known to be whole. */
export interface InsideBundle {
  examine(): Promise<ExaminedBundle>;
  readonly whole: ReadonlySet<Digest>;
}

/** Structure, signature, every blob; damage is collected to the end, an untrusted bundle is left at once. */
export function verifyFlow(input: VerifyInput, inside?: () => InsideBundle): Flow<VerifyResult> {
  let opened: { readonly bundle: Bundle; readonly damage: readonly string[] } | undefined;
  let result: VerifyResult | undefined;
  const structure: Step = {
    id: 'structure',
    title: 'Structure',
    async run() {
      const { bundle, damage } = (opened = await (inside?.().examine() ?? examineBundle(input.bundlePath)));
      const { name, version } = bundle.lock.metadata;
      const state = damage.length === 0 ? '' : `, damaged in ${countText(damage.length, 'place')}`;
      return { summary: `${name} ${version} · ${bytesText(bundle.size)} · ${bundle.root.digest}${state}` };
    },
  };
  const signature: Step = {
    id: 'signature',
    title: 'Signature',
    async run() {
      const { bundle, damage } = needed(opened);
      try {
        const policy = await loadTrustPolicy(input.trust, input.threshold);
        const trust = judgeTrust(bundle, policy, { allowUnsigned: input.allowUnsigned === true });
        result = resultOf(bundle, trust);
        return { summary: trustText(trust) };
      } catch (error) {
        await bundle.close();
        if (damage.length === 0 || !isDeliverError(error)) throw error;
        throw error.with({ details: [...(error.facts.details ?? []), ...damage], state: 'The content was not checked.' });
      }
    },
  };
  const blobs: Step = {
    id: 'blobs',
    title: 'Content',
    async run(report, signal): Promise<StepResult> {
      const { bundle, damage } = needed(opened);
      try {
        const damaged = await verifyBundle(bundle, report, signal, inside?.().whole);
        const all = [...damage, ...damaged.map(damageLine)];
        if (all.length > 0) throw damagedError(bundle.path, all);
        const leftOut = leftOutOf(bundle);
        return {
          summary: `${countText(bundle.blobs.size, 'blob')} whole${leftOut === undefined ? '' : `; ${leftOutText(leftOut)}`}`,
        };
      } finally {
        await bundle.close();
      }
    },
  };
  return { steps: [structure, signature, blobs], result: () => needed(result) };
}

/** `signed by release@corp (SHA256:…)`, or what was accepted without enough signatures. */
export function trustText({ signers, accepted }: Trust): string {
  if (accepted !== undefined) return `${accepted}; accepted as asked for`;
  return `signed by ${signers.map(signerText).join(', ')}`;
}

function resultOf(bundle: Bundle, { signers, accepted }: Trust): VerifyResult {
  const { name, version } = bundle.lock.metadata;
  const base = leftOutOf(bundle);
  return {
    path: bundle.path,
    release: name,
    version,
    root: bundle.root.digest,
    size: bundle.size,
    signers,
    ...(accepted === undefined ? {} : { accepted }),
    blobs: bundle.blobs.size,
    ...(base === undefined ? {} : { base }),
  };
}

function needed<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a step of verify was left out');
  return value;
}
