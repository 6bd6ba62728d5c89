import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';

/** What a developer or a runner has set for programs: proxies, accounts, authorities, start-up files. */
const THEIRS = [
  /^(?:all|ftp|https?|no)_proxy$/i,
  /^(?:AWS|XDG|GIT_CONFIG)_/,
  /^(?:DOCKER_CONFIG|DOCKER_HOST|KUBECONFIG|NETRC|REGISTRY_AUTH_FILE|SSH_AUTH_SOCK)$/,
  /^(?:NODE_EXTRA_CA_CERTS|SSL_CERT_DIR|SSL_CERT_FILE)$/,
  /^(?:BASH_ENV|ENV)$/,
];

/**
 * For one file of tests: they and what they start have a home of their own and none of that, so that they end alike for
 * everybody. The umask, the language and the time zone stay as they are: deliver has to stand them.
 */
export function ownEnvironment(): void {
  // The labs of test/e2e lie in the real home.
  if (expect.getState().testPath?.includes('/test/e2e/') === true) return;
  process.env['DELIVER_LAB_CACHE'] ??= join(homedir(), '.cache/deliver-lab');
  const theirs = Object.keys(process.env).filter((name) => THEIRS.some((one) => one.test(name)));
  for (const name of theirs) Reflect.deleteProperty(process.env, name);
  const home = mkdtempSync(join(tmpdir(), 'deliver-home-'));
  process.env['HOME'] = home;
  afterAll(() => {
    rmSync(home, { recursive: true, force: true });
  });
}
