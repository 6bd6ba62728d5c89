import { createHash, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { SignJWT, importPKCS8, importSPKI, jwtVerify } from 'jose';

export interface TokenAccess {
  type: string;
  name: string;
  actions: string[];
}

export interface TokenClaims {
  subject: string;
  /** Seconds since the epoch. */
  issuedAt: number;
  access: TokenAccess[];
}

export interface TokenAuthority {
  issue(subject: string, access: TokenAccess[], lifetimeSeconds: number, nowMs: number): Promise<string>;
  /** null for anything that is not a good token of ours. */
  verify(token: string, nowMs: number): Promise<TokenClaims | null>;
}

export const SERVICE = 'harbor-registry';
const ISSUER = 'harbor-token-issuer';

let sharedKey: string | null = null;
const newKey = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Like core's private_key.pem, the key outlives a restart, so tokens do too. */
function signingKey(path: string | null): string {
  if (path === null) return (sharedKey ??= newKey());
  if (!existsSync(path)) writeFileSync(path, newKey(), { mode: 0o600 });
  return readFileSync(path, 'utf8');
}

export async function openTokenAuthority(keyFile: string | null, leewaySeconds: number): Promise<TokenAuthority> {
  const pem = signingKey(keyFile);
  const publicPem = createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
  const privateKey = await importPKCS8(pem, 'RS256');
  const publicKey = await importSPKI(publicPem, 'RS256');
  const kid = createHash('sha256').update(publicPem).digest('hex').slice(0, 32);

  return {
    issue: (subject, access, lifetimeSeconds, nowMs) => {
      const issued = Math.floor(nowMs / 1000);
      return new SignJWT({ access, jti: randomUUID(), ...(subject === '' ? {} : { sub: subject }) })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
        .setIssuer(ISSUER)
        .setAudience(SERVICE)
        .setIssuedAt(issued)
        .setNotBefore(issued)
        .setExpirationTime(issued + lifetimeSeconds)
        .sign(privateKey);
    },
    verify: async (token, nowMs) => {
      try {
        const { payload } = await jwtVerify<{ access?: TokenAccess[] }>(token, publicKey, {
          algorithms: ['RS256'],
          issuer: ISSUER,
          audience: SERVICE,
          clockTolerance: leewaySeconds,
          currentDate: new Date(nowMs),
        });
        return { subject: payload.sub ?? '', issuedAt: payload.iat ?? 0, access: payload.access ?? [] };
      } catch {
        return null;
      }
    },
  };
}
