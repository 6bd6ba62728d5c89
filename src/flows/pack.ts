import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planBundle, type BundlePlan } from '../bundle/plan.ts';
import { parseSigningKey, signRoot } from '../bundle/sign.ts';
import type { SignatureBlob } from '../bundle/signature-room.ts';
import { writeBundle, type WrittenBundle } from '../bundle/write-bundle.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { Flow, Step } from '../core/report.ts';
import type { Secret } from '../core/secret.ts';
import { blobOrigins } from './blob-origins.ts';
import { lockedReleaseFlow } from './locked-release.ts';
import type { ResolveFlowPorts } from './resolve.ts';

export interface PackInput {
  readonly releasePath: string;
  /** Folder to write the bundle into; made when missing. */
  readonly outputFolder: string;
  /** OpenSSH ed25519 private key. */
  readonly signKeyPath?: string;
  /** Blobs in flight at once, 4 when absent. */
  readonly concurrency?: number;
}

export interface PackPorts extends ResolveFlowPorts {
  /** Asked once, and only for an encrypted key. */
  askPassphrase(path: string): Promise<Secret>;
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
  readonly signer?: { readonly name: string; readonly fingerprint: string };
  readonly signatures: number;
  readonly fetched: WrittenBundle['fetched'];
}

/** Lock, signature, bundle: the root is known from the lock alone, so the key is asked for before anything is fetched. */
export function packFlow(input: PackInput, ports: PackPorts): Flow<PackResult> {
  const release = lockedReleaseFlow(input.releasePath, ports);
  let plan: BundlePlan | undefined;
  let signer: PackResult['signer'];
  let written: WrittenBundle | undefined;
  const sign: Step = {
    id: 'sign',
    title: 'Signed',
    async run() {
      const { lock } = release.result();
      const unsigned = planBundle(lock, []);
      const made = input.signKeyPath === undefined ? undefined : await signWith(input.signKeyPath, unsigned, ports);
      plan = made === undefined ? unsigned : planBundle(lock, [made.signature]);
      signer = made?.signer;
      return {
        summary: signer === undefined ? 'not signed: no --sign-key was given' : `by ${signer.name} (${signer.fingerprint})`,
      };
    },
  };
  const pack: Step = {
    id: 'pack',
    title: 'Packed',
    async run(report, signal) {
      const { lock, sources } = release.result();
      plan ??= planBundle(lock, []);
      const path = join(input.outputFolder, plan.fileName);
      const { concurrency } = input;
      written = await writeBundle(plan, path, blobOrigins(lock, sources), {
        report,
        signal,
        ...(concurrency === undefined ? {} : { concurrency }),
      });
      return { summary: summaryOf(plan, written), changed: written.outcome === 'written' ? 1 : 0 };
    },
  };
  return {
    steps: [...release.steps, sign, pack],
    result() {
      if (plan === undefined || written === undefined)
        throw new DeliverError('E_BUG', { what: 'The steps of pack ran out of order.' });
      const { name, version } = plan.lock.metadata;
      return {
        path: written.path,
        size: plan.size,
        release: name,
        version,
        root: plan.root.digest,
        outcome: written.outcome,
        ...(signer === undefined ? {} : { signer }),
        signatures: written.signatures.length,
        fetched: written.fetched,
      };
    },
  };
}

async function signWith(
  path: string,
  plan: BundlePlan,
  ports: PackPorts,
): Promise<{ signature: SignatureBlob; signer: NonNullable<PackResult['signer']> }> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new DeliverError('E_SIGN_KEY', {
      what: `${path} can't be used to sign.`,
      why: messageOf(error),
      fix: 'Give the path of an OpenSSH ed25519 private key; make one with: ssh-keygen -t ed25519',
      state: 'Nothing was written.',
      cause: error,
    });
  });
  const key = await parseSigningKey(text, path, (asked) => ports.askPassphrase(asked));
  const name = key.comment === '' ? path : key.comment;
  return { signature: { armored: signRoot(plan.rootBytes, key) }, signer: { name, fingerprint: key.fingerprint } };
}

function summaryOf(plan: BundlePlan, { outcome, path, fetched }: WrittenBundle): string {
  if (outcome === 'unchanged') return `${path} is whole and unchanged · ${bytesText(plan.size)}`;
  const kept =
    fetched.keptBlobs === 0
      ? ''
      : ` · ${countText(fetched.keptBlobs, 'blob')}, ${bytesText(fetched.keptBytes)} from the interrupted run`;
  return `${path} · ${bytesText(plan.size)} · ${plan.root.digest}${kept}`;
}
