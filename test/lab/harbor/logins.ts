import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResolvedConfig } from './config.ts';
import type { Principal } from './context.ts';
import { robotFullName, robotSecretMatches } from './robot-secrets.ts';
import type { StateData } from './state.ts';

export interface Logins {
  /** Anonymous when the name or the password is wrong: Harbor then only lacks a security context. */
  check(name: string, password: string): Promise<Principal>;
}

const same = (a: string, b: string): boolean => {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
};

/**
 * A wrong password costs its sender the delay and locks that user name for as long: meanwhile the right
 * password is refused at once, on every connection [core/auth/authenticator.go frozenTime]. Robots are never locked.
 */
export function openLogins(config: ResolvedConfig, state: StateData, now: () => number): Logins {
  const lockedUntil = new Map<string, number>();

  const robot = (name: string, secret: string): Principal | null => {
    const found = state.robots.find((candidate) => robotFullName(state, candidate) === name);
    if (found === undefined || found.disable) return null;
    if (found.expiresAt !== -1 && found.expiresAt * 1000 < now()) return null;
    return robotSecretMatches(found, secret) ? { kind: 'robot', name, robot: found } : null;
  };

  const user = (name: string, password: string): Principal | null => {
    if (name === 'admin') return same(password, config.adminPassword) ? { kind: 'user', name, sysadmin: true } : null;
    const found = config.users.find((candidate) => candidate.name === name);
    return found !== undefined && same(password, found.password) ? { kind: 'user', name, sysadmin: false } : null;
  };

  return {
    check: async (name, password) => {
      const asRobot = robot(name, password);
      if (asRobot !== null) return asRobot;
      if ((lockedUntil.get(name) ?? 0) > now()) return { kind: 'anonymous' };
      const asUser = user(name, password);
      if (asUser !== null) {
        if (config.userPasswordMs > 0) await sleep(config.userPasswordMs);
        return asUser;
      }
      lockedUntil.set(name, now() + config.wrongPasswordMs);
      await sleep(config.wrongPasswordMs);
      return { kind: 'anonymous' };
    },
  };
}
