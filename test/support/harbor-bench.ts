import { createHarborApi, type OpenHarborApi } from '../../src/registry/harbor/api.ts';
import type { RegistryAccount } from '../../src/registry/port.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { ADMIN, openBench, type Bench } from '../lab/harbor/harness.ts';

/** Seldom and soon: nothing here is away for long. */
export const RETRY = { retries: 1, firstDelay: 5 };
export const ADMINISTRATOR: RegistryAccount = { username: ADMIN.name, password: ADMIN.password };

interface Closable {
  close(): Promise<void>;
}

/** A Harbor front over a memory registry, and deliver's own ways to it. */
export interface HarborBench extends Bench {
  readonly host: string;
  /** Harbor's API, as its administrator unless another account is given. */
  harborAs(account?: RegistryAccount): OpenHarborApi;
  /** The registry in it, as its administrator unless another account is given. */
  registryAs(account?: RegistryAccount): ReturnType<typeof createRegistry>;
  /** Closes it together with the bench. */
  closing<Thing extends Closable>(thing: Thing): Thing;
}

export async function openHarborBench(): Promise<HarborBench> {
  const bench = await openBench();
  const host = new URL(bench.harbor.url).host;
  const open: Closable[] = [];
  const closing = <Thing extends Closable>(thing: Thing): Thing => {
    open.push(thing);
    return thing;
  };
  const as = (account: RegistryAccount) => ({ host, role: 'site', retry: RETRY, account }) as const;
  return {
    ...bench,
    host,
    closing,
    harborAs: (account = ADMINISTRATOR) => closing(createHarborApi(as(account))),
    registryAs: (account = ADMINISTRATOR) => closing(createRegistry(as(account))),
    close: async () => {
      for (const thing of open) await thing.close();
      await bench.close();
    },
  };
}
