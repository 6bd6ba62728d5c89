import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PACKET_FILTER } from '../../../../src/site/kubeadm/wipe.ts';
import { runHere } from '../../../support/local-host.ts';

const RULES = `*filter
:INPUT ACCEPT [0:0]
:KUBE-FIREWALL - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
`;

/** Stand-ins for the programs: the packet filter of this machine is nobody’s to change. */
describe('the packet filter of a host that Kubernetes is taken off', () => {
  let folder: string;
  const program = (name: string, text: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deliver-wipe-'));
    for (const name of ['nft', 'ip']) program(name, ':');
    writeFileSync(join(folder, 'rules'), RULES);
    for (const name of ['iptables', 'ip6tables']) {
      program(`${name}-save`, `[ "$2" = filter ] && cat ${folder}/rules; exit 0`);
      program(`${name}-restore`, `cat >${folder}/${name}-$2`);
    }
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps the rules of others, of IPv4 and of IPv6, and is left alone where Kubernetes has none', async () => {
    const ran = await runHere(PACKET_FILTER, {}, { PATH: `${folder}:/usr/bin:/bin` });
    expect(ran.code, ran.stderr).toBe(0);
    for (const name of ['iptables', 'ip6tables']) {
      expect(readFileSync(join(folder, `${name}-filter`), 'utf8')).toBe(
        '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n',
      );
      expect(existsSync(join(folder, `${name}-nat`))).toBe(false);
    }
  });
});
