import { join } from 'node:path';
import { outputError } from '../bundle/output-error.ts';
import { lockOutput } from '../bundle/pack-lock.ts';
import { isSignedBy, signCarry } from '../carry/carry-trust.ts';
import { manifestBytes, type CarryManifest } from '../carry/manifest.ts';
import { openCarry } from '../carry/open-carry.ts';
import { PartFiles } from '../carry/part-files.ts';
import { countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { signerText } from '../bundle/signature/trust.ts';
import type { SignResult } from './sign.ts';
import { signersOf, type SigningPorts } from './signing-keys.ts';

/** Adds signatures to the carry manifest of a set, in both its copies; no volume is read or written. */
export function signCarryFlow(
  input: { readonly path: string; readonly keyPaths: readonly string[] },
  ports: SigningPorts,
): Flow<SignResult> {
  let result: SignResult | undefined;
  return {
    steps: [
      {
        id: 'sign',
        title: 'Signed',
        run: async () => {
          const set = await openCarry(input.path);
          try {
            const keys = await signersOf(input.keyPaths, ports);
            let carry = set.carry;
            for (const { key } of keys) if (!isSignedBy(carry, key)) carry = await signCarry(carry, key);
            const isNew = carry !== set.carry;
            if (isNew) await writeManifests(set.folder, [...set.manifests, ...set.otherwiseSigned], carry);
            const signers = keys.map(({ signer }) => signer);
            const { name: release, version } = carry.release;
            const outcome = isNew ? 'signed' : 'unchanged';
            const signatures = carry.signatures.length;
            result = { path: input.path, release, version, root: carry.id, signers, outcome, signatures };
            const who = signers.map(signerText).join(', ');
            return {
              summary: isNew ? `carry set by ${who} · ${countText(signatures, 'signature')}` : 'it has these signatures already',
              changed: isNew ? 1 : 0,
            };
          } finally {
            await set.close();
          }
        },
      },
    ],
    result: () => {
      if (result === undefined) throw new DeliverError('E_BUG', { what: 'The steps of sign ran out of order.' });
      return result;
    },
  };
}

/** Each copy gets its name when both are whole: after a kill there are two old ones, two new ones, or one of each. */
async function writeManifests(folder: string, names: readonly string[], carry: CarryManifest): Promise<void> {
  const target = join(folder, names[0] ?? '');
  const parts = new PartFiles(folder);
  let unlock: (() => Promise<void>) | undefined;
  try {
    unlock = await lockOutput(target);
    for (const name of names) await parts.write(name, manifestBytes(carry));
    await parts.finish();
  } catch (error) {
    const told = outputError(target, error);
    const fix = 'Copy the carry set to a folder that can be written, sign it there, and carry the copy.';
    throw told.code === 'E_OUTPUT' && told.facts.fix?.includes('--output') === true ? told.with({ fix }) : told;
  } finally {
    await parts.close();
    await unlock?.();
  }
}
