import { readFileSync } from 'node:fs';

export type Role = 'projectAdmin' | 'maintainer' | 'developer' | 'guest';

/** A plain user. Harbor's members API is not emulated: roles are given here. */
export interface ConfiguredUser {
  name: string;
  password: string;
  roles?: Record<string, Role>;
}

/** What the JSON file of `main.ts --config` holds, and what `startHarbor` takes. */
export interface HarborConfig {
  listen: { host: string; port: number };
  /** PEM file paths. null: plain HTTP. */
  tls: { cert: string; key: string } | null;
  /** Decides the scheme of the token realm. Default: the address listened on. */
  externalUrl?: string;
  /**
   * The registry that stores the bytes; credentials may stand in the URL. A docker-registry 2.8 needs what Harbor gives its own:
   * `storage.delete.enabled: true`, `validation.disabled: true` and a fixed `http.secret`, so that uploads outlive its restart.
   */
  upstream: string;
  /** null: nothing survives a restart. */
  stateFile: string | null;
  adminPassword: string;
  /** JSON lines, one per request. */
  accessLog: string | null;
  users?: ConfiguredUser[];
  delays?: { wrongPasswordMs?: number; userPasswordMs?: number };
  /** Harbor's nginx turns most early answers to a big PUT into 502; true makes it all of them, false none. */
  earlyPut502?: boolean;
  /** nginx client_body_timeout. */
  bodyStallMs?: number;
  /** Token lifetime; Harbor's default is 30. */
  tokenExpirationMinutes?: number;
  tokenLeewaySeconds?: number;
  /** What it claims to be. */
  version?: string;
}

export interface ResolvedConfig extends Required<Omit<HarborConfig, 'delays'>> {
  wrongPasswordMs: number;
  userPasswordMs: number;
}

export function readConfig(path: string): HarborConfig {
  return JSON.parse(readFileSync(path, 'utf8')) as HarborConfig;
}

export function withDefaults(config: HarborConfig): ResolvedConfig {
  const { delays, ...given } = config;
  return {
    externalUrl: '',
    users: [],
    earlyPut502: true,
    bodyStallMs: 60_000,
    tokenExpirationMinutes: 30,
    tokenLeewaySeconds: 60,
    // The version that was observed.
    version: 'v2.16.0-c50c7ddd',
    ...given,
    wrongPasswordMs: delays?.wrongPasswordMs ?? 1500,
    userPasswordMs: delays?.userPasswordMs ?? 0,
  };
}
