import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { Robot, StateData } from './state.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

const hash = (salt: string, secret: string): Buffer => createHash('sha256').update(`${salt}:${secret}`).digest();

export const robotFullName = (state: StateData, robot: Robot): string => state.settings.robotNamePrefix + robot.shortName;

/** Harbor's rule for a secret that a client chooses. */
export const acceptableSecret = (secret: string): boolean =>
  secret.length >= 8 && secret.length <= 128 && /[a-z]/.test(secret) && /[A-Z]/.test(secret) && /[0-9]/.test(secret);

export function newSecret(): string {
  for (;;) {
    const secret = Array.from({ length: 32 }, () => LETTERS[randomInt(LETTERS.length)] ?? 'x').join('');
    if (acceptableSecret(secret)) return secret;
  }
}

export function hashSecret(secret: string): Pick<Robot, 'salt' | 'secretHash'> {
  const salt = randomBytes(16).toString('hex');
  return { salt, secretHash: hash(salt, secret).toString('hex') };
}

export const robotSecretMatches = (robot: Robot, secret: string): boolean =>
  timingSafeEqual(hash(robot.salt, secret), Buffer.from(robot.secretHash, 'hex'));
