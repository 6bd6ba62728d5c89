import { dirname, join } from 'node:path';
import type { Base } from '../bundle/base.ts';
import { deltaSince } from '../bundle/delta.ts';
import { planBundle, type BundlePlan } from '../bundle/plan.ts';
import type { Signer } from '../bundle/signature/check-signature.ts';
import { signRoot } from '../bundle/signature/sign.ts';
import type { SignatureBlob } from '../bundle/signature/signature-room.ts';
import { signerText } from '../bundle/signature/trust.ts';
import { writeVerifyScript } from '../bundle/verify-script.ts';
import type { VolumeOptions } from '../carry/layout.ts';
import { VolumeDestination } from '../carry/pack-volumes.ts';
import type { Digest } from '../core/digest.ts';
import { writeBundle, type WrittenBundle } from '../bundle/write-bundle.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow, Step } from '../core/report.ts';
import { blobOrigins } from './blob-origins.ts';
import { leftOutOf, type LeftOut } from './left-out.ts';
import { splitResult, type SplitResult } from './split.ts';
import { loadBase } from './load-base.ts';
import { lockedReleaseFlow } from './locked-release.ts';
import type { ResolveFlowPorts } from './resolve.ts';
import type { PackOutput } from './pack-output.ts';
import { signersOf, type NamedKey, type SigningPorts } from './signing-keys.ts';

export interface PackInput {
  readonly releasePath: string;
  /** Folder to write the bundle into; made when missing. */
  readonly outputFolder: string;
  /** OpenSSH ed25519 private keys; each signs. */
  readonly signKeyPaths?: readonly string[];
  /** Blobs in flight at once, 4 when absent. */
  readonly concurrency?: number;
  /** Lock, bundle or receipt of what the site has already: only what that lacks is packed. */
  readonly since?: string;
  /** Earlier bundles to take blobs from, besides those in the output folder. */
  readonly reuse?: readonly string[];
  /** Written into the volumes of a carry set instead of one file. */
  readonly volumes?: PackVolumes;
}

export interface PackVolumes extends VolumeOptions {
  /** Id of the carry before this one. */
  readonly previous?: Digest;
}

export interface PackPorts extends ResolveFlowPorts, SigningPorts {
  /** Absent: the output folder. */
  readonly output?: PackOutput;
}

export interface PackResult {
  readonly path: string;
  /** Bytes of the bundle. */
  readonly size: number;
  readonly release: string;
  readonly version: string;
  /** Digest of the release manifest: what the signature covers. */
  readonly root: string;
  readonly outcome: 'written' | 'unchanged';
  /** Who signed now. */
  readonly signers: readonly Signer[];
  readonly signatures: number;
  readonly fetched: WrittenBundle['fetched'];
  /** Of a delta: what it builds on, and what it leaves out. Bytes. */
  readonly base?: LeftOut;
  /** The carry set that it was written into; `path` is its folder then. */
  readonly carry?: SplitResult;
}

/** Lock, signature, bundle: the root is known from the lock alone, so the key is asked for before anything is fetched. */
export function packFlow(input: PackInput, ports: PackPorts): Flow<PackResult> {
  const release = lockedReleaseFlow(input.releasePath, ports);
  let plan: BundlePlan | undefined;
  let base: Base | undefined;
  let keys: readonly NamedKey[] = [];
  let into: VolumeDestination | undefined;
  let written: WrittenBundle | undefined;
  const onBase: Step = {
    id: 'base',
    title: 'Base',
    async run() {
      const found = await loadBase(input.since ?? '', [dirname(input.releasePath), input.outputFolder]);
      base = found.base;
      return {
        summary: [`${base.name} ${base.version}`, base.root, ...(found.said === undefined ? [] : [found.said])].join(' · '),
      };
    },
  };
  const sign: Step = {
    id: 'sign',
    title: 'Signed',
    async run() {
      const { lock } = release.result();
      const delta = base === undefined ? undefined : deltaSince(lock, base);
      const unsigned = planBundle(lock, [], delta);
      keys = await signersOf(input.signKeyPaths ?? [], ports);
      const signatures: SignatureBlob[] = [];
      // One after the other: an agent may ask a person each time.
      for (const { key } of keys) signatures.push({ armored: await signRoot(unsigned.rootBytes, key) });
      plan = signatures.length === 0 ? unsigned : planBundle(lock, signatures, delta);
      return {
        summary:
          keys.length === 0
            ? 'not signed: no --sign-key was given'
            : `by ${keys.map(({ signer }) => signerText(signer)).join(', ')}`,
      };
    },
  };
  const pack: Step = {
    id: 'pack',
    title: 'Packed',
    async run(report, signal) {
      const { lock, sources } = release.result();
      if (plan === undefined) throw outOfOrder();
      const origins = blobOrigins(lock, sources);
      const { volumes } = input;
      const folder = join(input.outputFolder, plan.fileName.replace(/\.tar$/, '.carry'));
      if (volumes !== undefined) into = new VolumeDestination(plan, folder, { ...volumes, keys: keys.map(({ key }) => key) });
      const output = ports.output ?? folderOutput(input, into);
      written = await output.write(plan, origins, { report, signal });
      return { summary: summaryOf(plan, written), changed: written.outcome === 'written' ? 1 : 0 };
    },
  };
  return {
    steps: [...(input.since === undefined ? [] : [onBase]), ...release.steps, sign, pack],
    result() {
      if (plan === undefined || written === undefined) throw outOfOrder();
      const leftOut = leftOutOf(plan);
      const { name, version } = plan.lock.metadata;
      return {
        path: written.path,
        size: plan.size,
        release: name,
        version,
        root: plan.root.digest,
        outcome: written.outcome,
        signers: keys.map(({ signer }) => signer),
        signatures: written.signatures.length,
        fetched: written.fetched,
        ...(leftOut === undefined ? {} : { base: leftOut }),
        ...(into?.carry === undefined ? {} : { carry: splitResult(into.carry, written.path, keys) }),
      };
    },
  };
}

/** @param into the volumes, when it is not one file */
function folderOutput({ outputFolder, reuse = [], concurrency }: PackInput, into: VolumeDestination | undefined): PackOutput {
  return {
    async write(plan, origins, work) {
      const near = { folder: outputFolder, bundles: reuse };
      const lanes = concurrency === undefined ? {} : { concurrency };
      const options = { ...work, near, ...lanes, ...(into === undefined ? {} : { into }) };
      const file = join(outputFolder, plan.fileName);
      const written = await writeBundle(plan, into === undefined ? file : dirname(into.target), origins, options);
      await writeVerifyScript(file);
      return written;
    },
  };
}

function outOfOrder(): DeliverError {
  return new DeliverError('E_BUG', { what: 'The steps of pack ran out of order.' });
}

function summaryOf(plan: BundlePlan, { outcome, path, fetched }: WrittenBundle): string {
  if (outcome === 'unchanged') return `${path} is whole and unchanged · ${bytesText(plan.size)}`;
  const kept =
    fetched.keptBlobs === 0
      ? ''
      : ` · ${countText(fetched.keptBlobs, 'blob')}, ${bytesText(fetched.keptBytes)} from the interrupted run`;
  const near =
    fetched.nearBlobs === 0
      ? ''
      : ` · ${countText(fetched.nearBlobs, 'blob')}, ${bytesText(fetched.nearBytes)} taken from ${fetched.nearFrom}`;
  return `${path} · ${bytesText(plan.size)} · ${plan.root.digest}${kept}${near}`;
}
