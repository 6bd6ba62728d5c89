import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { keygen, refuseExisting, type KeygenResult } from '../flows/keygen.ts';
import { signFlow, type SignResult } from '../flows/sign.ts';
import { newPassphrase, passphrasesFor } from './passphrase.ts';

// The verbs about keys and signatures: no network, no site.

export interface SignWish {
  readonly bundle: string;
  readonly keys: readonly string[];
  readonly attach: readonly string[];
}

/** @throws DeliverError E_USAGE, E_SIGN_KEY */
export async function composeSign({ bundle, keys, attach }: SignWish): Promise<Flow<SignResult>> {
  if (keys.length + attach.length === 0) {
    throw new DeliverError('E_USAGE', { what: 'Nothing to sign with.', fix: 'Give --key KEY or --attach FILE.' });
  }
  const askPassphrase = await passphrasesFor(keys);
  return signFlow({ bundlePath: bundle, keyPaths: keys, attach }, { askPassphrase });
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
