import { isCarrySet } from '../bundle/open-source.ts';
import { readJournal } from '../bundle/signature/sign-journal.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { keygen, refuseExisting, type KeygenResult } from '../flows/keygen.ts';
import { signCarryFlow } from '../flows/sign-carry.ts';
import { signFlow, type SignResult } from '../flows/sign.ts';
import { signingPorts } from './compose-signing.ts';
import { newPassphrase } from './passphrase.ts';

// The verbs about keys and signatures: no network, no site.

export interface SignWish {
  readonly bundle: string;
  readonly keys: readonly string[];
  readonly attach: readonly string[];
}

/** @throws DeliverError E_USAGE, E_SIGN_KEY */
export async function composeSign({ bundle, keys, attach }: SignWish): Promise<Flow<SignResult>> {
  const isCarry = await isCarrySet(bundle);
  if (isCarry && attach.length > 0) {
    throw new DeliverError('E_USAGE', {
      what: 'A carry set can’t hold signatures by cosign.',
      fix: 'Sign it with --key; attach to the bundle before it is cut.',
    });
  }
  if (keys.length + attach.length === 0 && (isCarry || (await readJournal(bundle)) === undefined)) {
    throw new DeliverError('E_USAGE', { what: 'Nothing to sign with.', fix: 'Give --key KEY or --attach FILE.' });
  }
  const ports = await signingPorts(keys);
  if (isCarry) return signCarryFlow({ path: bundle, keyPaths: keys }, ports);
  return signFlow({ bundlePath: bundle, keyPaths: keys, attach }, ports);
}

/** @throws DeliverError E_OUTPUT, E_SIGN_KEY */
export async function composeKeygen({
  path,
  comment,
}: {
  readonly path: string;
  readonly comment: string;
}): Promise<KeygenResult> {
  await refuseExisting(path, `${path}.pub`);
  const passphrase = await newPassphrase(path);
  return keygen({ path, comment, ...(passphrase === undefined ? {} : { passphrase }) });
}
