import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onSite, type Outcome, type RunOptions } from './deliver.ts';
import { readLab, resetSite, siteSecrets, writeSite, type Lab, type SiteOptions } from './lab.ts';
import { packSample, signingKey, type PackedRelease, type SigningKey } from './releases.ts';

/** A fresh site, a signed sample release and a site file that trusts its key. */
export interface Setting {
  readonly lab: Lab;
  readonly folder: string;
  readonly key: SigningKey;
  readonly release: PackedRelease;
  readonly site: string;
  /** A site file that differs from the usual one. */
  otherSite(name: string, options: SiteOptions): Promise<string>;
  /** Runs deliver at the operator's machine, with the site's secrets. */
  deliver(args: readonly string[], options?: RunOptions): Promise<Outcome>;
}

export async function prepare(): Promise<Setting> {
  const lab = readLab();
  resetSite();
  const folder = await mkdtemp(path.join(tmpdir(), 'deliver-e2e-'));
  const key = await signingKey(folder);
  const release = await packSample(folder, key, '3.6.2');
  const trust = [key.publicKey];
  return {
    lab,
    folder,
    key,
    release,
    site: await writeSite(lab, folder, { trust }),
    otherSite: (name, options) => writeSite(lab, path.join(folder, name), { trust, ...options }),
    deliver: (args, options = {}) => onSite(args, { ...options, env: { ...siteSecrets(lab), ...options.env } }),
  };
}
