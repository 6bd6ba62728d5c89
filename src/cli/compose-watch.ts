import { join } from 'node:path';
import { looksLikeKey } from '../bundle/signature/trusted-keys.ts';
import { loadTrustPolicy } from '../bundle/signature/load-trusted-keys.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import { repairFlow } from '../flows/repair.ts';
import { watchFlow, type WatchResult } from '../flows/watch.ts';
import { loadSite } from '../manifest/load-site.ts';
import { sitePath } from '../manifest/site-path.ts';
import { trustOf } from '../manifest/site-schema.ts';
import { composeVerify } from './compose-bundle.ts';

export interface WatchFlags {
  readonly trust?: readonly string[] | undefined;
  readonly threshold: number;
  readonly 'allow-unsigned': boolean;
  readonly site?: string | undefined;
  readonly install: boolean;
  readonly done?: string | undefined;
  readonly quarantine?: string | undefined;
  readonly once: boolean;
  readonly settle: string;
  readonly patience: string;
  readonly poll: string;
}

/** @throws DeliverError E_USAGE, and for whatever is wrong with keys or the site file: at once, not when something arrives */
export async function composeWatch(folder: string, flags: WatchFlags): Promise<Flow<WatchResult>> {
  const { site, install, once } = flags;
  const input = {
    folder,
    done: flags.done ?? join(folder, 'done'),
    quarantine: flags.quarantine ?? join(folder, 'quarantine'),
    once,
    settle: milliseconds('settle', flags.settle),
    patience: milliseconds('patience', flags.patience),
    poll: milliseconds('poll', flags.poll),
  };
  const { trust, threshold } =
    site === undefined ? { trust: flags.trust ?? [], threshold: flags.threshold } : await siteTrust(site);
  const allowUnsigned = flags['allow-unsigned'];
  await loadTrustPolicy(trust, threshold);
  return watchFlow(input, {
    verify: (bundle) => composeVerify({ bundle, trust, threshold, allowUnsigned }),
    repair: (folder) => repairFlow({ folder }),
    ...(site === undefined || !install
      ? {}
      : {
          // Composed anew for each: connections and secrets live as long as one install.
          install: async (bundle: string) => (await import('./compose-site.ts')).composeInstall({ bundle, site, allowUnsigned }),
        }),
  });
}

async function siteTrust(path: string): Promise<{ readonly trust: readonly string[]; readonly threshold: number }> {
  const { site, folder } = await loadSite(path);
  const { keys, threshold } = trustOf(site);
  return { trust: keys.map((key) => (looksLikeKey(key) ? key : sitePath(folder, key))), threshold };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `10s`, `2m`. @throws DeliverError E_USAGE */
function milliseconds(flag: string, text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (factor !== undefined && Number(amount) > 0) return Number(amount) * factor;
  throw new DeliverError('E_USAGE', { what: `--${flag} ${text} is no time.`, fix: 'Write it like 500ms, 10s or 2m.' });
}
