import { generateKeyPairSync, sign as signRaw, createPrivateKey, type KeyObject } from 'node:crypto';
import { planBundle, type BundlePlan } from '../../src/bundle/plan.ts';
import { fingerprintOf } from '../../src/bundle/signature/public-key.ts';
import type { SigningKey } from '../../src/bundle/signature/sign.ts';
import { sshString } from '../../src/bundle/signature/ssh-wire.ts';
import { armor, signedData } from '../../src/bundle/signature/sshsig.ts';
import { bundleBytes, type TestRelease } from './bundles.ts';

/** A key of a test: the same seed, the same key. */
export interface TestKey {
  readonly key: SigningKey;
  /** Line of a .pub file. */
  readonly line: string;
}

/** PKCS #8 of an ed25519 private key, up to its 32 bytes (RFC 8410, section 7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export function testKey(name: string): TestKey {
  const seed = Buffer.alloc(32, name);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const point = Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const publicKey = Buffer.concat([sshString('ssh-ed25519'), sshString(point)]);
  const sign = (data: Buffer): Buffer => signRaw(null, data, privateKey);
  return {
    key: { comment: name, fingerprint: fingerprintOf({ blob: publicKey }), publicKey, sign },
    line: `ssh-ed25519 ${publicKey.toString('base64')} ${name}\n`,
  };
}

/** What `ssh-keygen -Y sign` would write for this key. */
export function signedBy({ key }: TestKey, bytes: Uint8Array, namespace = 'deliver'): string {
  const signature = key.sign(signedData(bytes, namespace, 'sha512'));
  return armor({ publicKey: key.publicKey, namespace, hash: 'sha512', algorithm: 'ssh-ed25519', signature });
}

/** The plan and the bytes of a release signed by these keys. */
export function signedBundle(
  { lock, content }: TestRelease,
  keys: readonly TestKey[],
  signatures: readonly string[] = [],
): { readonly plan: BundlePlan; readonly bytes: Buffer } {
  const { rootBytes } = planBundle(lock, []);
  const all = [...keys.map((key) => signedBy(key, rootBytes)), ...signatures];
  const plan = planBundle(
    lock,
    all.map((armored) => ({ armored })),
  );
  return { plan, bytes: bundleBytes(plan, content) };
}

/** What `cosign sign-blob --key … --bundle …` writes for these bytes, and the key it is checked with. */
export function cosignBundle(
  bytes: Uint8Array,
  hash: (bytes: Uint8Array) => Buffer,
): { readonly text: string; readonly pem: string; readonly privateKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: hash(publicKey.export({ format: 'der', type: 'spki' })).toString('base64') } },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: hash(bytes).toString('base64') },
      signature: signRaw('sha256', bytes, privateKey).toString('base64'),
    },
  };
  return { text: JSON.stringify(bundle), pem: publicKey.export({ format: 'pem', type: 'spki' }).toString(), privateKey };
}
