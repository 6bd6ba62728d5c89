import { setTimeout as sleep } from 'node:timers/promises';
import type { PushWriter } from '../../registry/port.ts';
import type { ReleaseSession } from '../release-session.ts';
import { robotName } from './robot-names.ts';
import type { SitePorts } from '../site-ports.ts';

type PushPorts = Pick<SitePorts, 'loaded' | 'registry'>;
type Session = Pick<ReleaseSession, 'release' | 'push'>;

/** Milliseconds that the end of a robot may take; it ends by itself after a day. */
const REMOVE_WITHIN = 10_000;

/** By whom images are pushed. */
export interface PushAccount {
  /** Name of the account, without the prefix that Harbor gives robots; absent when the registry asks for none. */
  readonly name?: string;
  /** `robot`: made for one run, limited to the release’s projects. `own`: the site file’s, which may not make robots. */
  readonly kind: 'robot' | 'own';
}

/**
 * Who would push, for a plan; makes nothing. Undefined where the registry knows no lesser accounts.
 * @param isThere false for one that the same install makes: its first account is an administrator
 */
export async function findPushAccount(session: Session, ports: PushPorts, isThere: boolean): Promise<PushAccount | undefined> {
  const { registry } = ports.loaded.site;
  if (registry === undefined) return undefined;
  const { install, username } = registry;
  const robot = { name: robotName('push', session, ports), kind: 'robot' } as const;
  if (!isThere) return install?.kind === 'harbor' ? robot : undefined;
  const { harbor } = await ports.registry();
  if (harbor === undefined) return undefined;
  return (await harbor.robots.mayMake()) ? robot : { ...(username === undefined ? {} : { name: username }), kind: 'own' };
}

/**
 * A robot that may push to the projects of the release, made for this run and removed at its end. Its secret is nowhere but
 * in memory: Harbor shows it once, so a run that was killed leaves a robot that nobody can use, and the next push replaces it.
 * @returns undefined where the site’s own account has to do it
 */
export async function openPushAccount(session: Session, ports: PushPorts): Promise<PushWriter | undefined> {
  const { harbor, openAs } = await ports.registry();
  if (harbor === undefined || !(await harbor.robots.mayMake())) return undefined;
  const name = robotName('push', session, ports);
  const opened = openAs(await harbor.robots.renewPush(name, session.push.projects));
  return {
    writer: opened.writer,
    close: async () => {
      await opened.close();
      const late = new AbortController();
      // Of a Harbor that is gone the push has told already.
      const removed = harbor.robots.remove(name).catch(() => undefined);
      await Promise.race([removed, sleep(REMOVE_WITHIN, undefined, { signal: late.signal }).catch(() => undefined)]);
      late.abort();
    },
  };
}
