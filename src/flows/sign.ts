import { readFile } from 'node:fs/promises';
import type { Bundle } from '../bundle/bundle.ts';
import type { Signer } from '../bundle/signature/check-signature.ts';
import { openBundle } from '../bundle/open-bundle.ts';
import { signRoot } from '../bundle/signature/sign.ts';
import { mendSigning, signInPlace } from '../bundle/signature/sign-in-place.ts';
import type { SignatureBlob } from '../bundle/signature/signature-room.ts';
import { isOver, parseSigstore } from '../bundle/signature/sigstore.ts';
import { signerText } from '../bundle/signature/trust.ts';
import { countText } from '../core/amounts.ts';
import { DeliverError, messageOf } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { signersOf, type SigningPorts } from './signing-keys.ts';

export interface SignInput {
  readonly bundlePath: string;
  /** OpenSSH ed25519 private keys. */
  readonly keyPaths: readonly string[];
  /** Sigstore bundles over the release manifest, made by cosign. */
  readonly attach: readonly string[];
}

export interface SignResult {
  readonly path: string;
  readonly release: string;
  readonly version: string;
  /** What the signatures cover: digest of the release manifest, or id of the carry set. */
  readonly root: string;
  /** Keys that signed now or before; cosign's are not among them. */
  readonly signers: readonly Signer[];
  readonly outcome: 'signed' | 'unchanged' | 'taken back';
  /** In the bundle now. */
  readonly signatures: number;
}

/** Counter-signs a bundle where it lies. It says nothing about the content: whoever vouches for that runs verify first. */
export function signFlow(input: SignInput, ports: SigningPorts): Flow<SignResult> {
  let bundle: Bundle | undefined;
  let result: SignResult | undefined;
  let tookBack = false;
  return {
    steps: [
      {
        id: 'structure',
        title: 'Structure',
        run: async (report) => {
          tookBack = await mendSigning(input.bundlePath);
          if (tookBack) report.note('A signing that was interrupted was taken back.');
          bundle = await openBundle(input.bundlePath);
          // Opened anew for writing: nothing of it is read from here on.
          await bundle.close();
          const { name, version } = bundle.lock.metadata;
          return { summary: `${name} ${version} · ${bundle.root.digest}` };
        },
      },
      {
        id: 'sign',
        title: 'Signed',
        run: async () => {
          if (bundle === undefined) throw new DeliverError('E_BUG', { what: 'The steps of sign ran out of order.' });
          const { rootBytes, root, lock } = bundle;
          const keys = await signersOf(input.keyPaths, ports);
          const attached = await Promise.all(input.attach.map((path) => readSigstore(path, rootBytes)));
          const made: SignatureBlob[] = [];
          // One after the other: an agent may ask a person each time.
          for (const { key } of keys) made.push({ armored: await signRoot(rootBytes, key) });
          for (const armored of attached) made.push({ armored });
          const isNew = await signInPlace(bundle, made);
          const all = new Set([...bundle.signatures, ...made].map(({ armored }) => armored));
          const signers = keys.map(({ signer }) => signer);
          const { name: release, version } = lock.metadata;
          const outcome = isNew ? 'signed' : tookBack && made.length === 0 ? 'taken back' : 'unchanged';
          result = { path: bundle.path, release, version, root: root.digest, signers, outcome, signatures: all.size };
          const who = [...signers.map(signerText), ...input.attach].join(', ');
          if (made.length === 0) return { summary: 'no: no key was given' };
          return {
            summary: isNew ? `by ${who} · ${countText(all.size, 'signature')}` : 'it has these signatures already',
            changed: isNew ? 1 : 0,
          };
        },
      },
    ],
    result: () => {
      if (result === undefined) throw new DeliverError('E_BUG', { what: 'The steps of sign ran out of order.' });
      return result;
    },
  };
}

async function readSigstore(path: string, rootBytes: Uint8Array): Promise<string> {
  const refuse = (why: string, cause?: unknown): DeliverError =>
    new DeliverError('E_SIGNATURE', {
      what: `${path} is no signature of this bundle.`,
      why,
      fix: 'Sign the bytes of the release manifest: cosign sign-blob --key KEY --bundle FILE RELEASE-MANIFEST',
      state: 'Nothing was written.',
      ...(cause === undefined ? {} : { cause }),
    });
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw refuse(messageOf(error), error);
  });
  let isGood: boolean;
  try {
    isGood = isOver(parseSigstore(text.trim()), rootBytes);
  } catch (error) {
    throw error instanceof DeliverError ? error : refuse(messageOf(error), error);
  }
  if (isGood) return text.trim();
  throw refuse('It is over other bytes.');
}
