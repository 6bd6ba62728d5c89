import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DoctorResult } from '../../src/flows/doctor.ts';
import type { Check } from '../../src/site/check/check.ts';
import { deliver } from '../support/cli.ts';
import { describeUnless } from '../support/describe-unless.ts';
import { freePort, startSshd, whyNoSshd, type Sshd } from '../support/sshd.ts';

const missing = whyNoSshd();

/** What a bad host says, word for word as its own programs would; everything else on it is this machine. */
const SAYS: Readonly<Record<string, string>> = {
  nproc: 'echo 1',
  date: 'exec /usr/bin/date -d "+600 seconds" "$@"',
  df: `case $1 in -Pi) printf 'F I U F P M\\nd 1000000 1 999999 1%% /small\\n';; *) printf 'F 1K U A C M\\nd 3000000 2500000 500000 83%% /small\\n';; esac`,
  ip: `case "$*" in
    *addr*) echo '2: eth0    inet 192.168.7.7/24 brd 192.168.7.255 scope global eth0';;
    '-4 route show') echo '10.244.8.0/22 dev eth1 proto static';; esac`,
  ss: `printf 'State Recv-Q Send-Q L P Process\\nLISTEN 0 9 0.0.0.0:6443 0.0.0.0:* users:(("nginx",pid=7,fd=6))\\n'`,
  getent: 'exit 2',
  // Not a container: those see the swap of the machine around them.
  'systemd-detect-virt': 'exit 1',
  systemctl: `[ "$1 $2" = 'is-active firewalld' ] && echo active`,
  // Files below /proc can't be others: what is read of them is.
  awk: `case "$*" in
    */proc/uptime) echo 40000000;;
    */proc/swaps) echo 'b.swap=/dev/sdb1 8000000 6000000';;
    *MemAvailable*) echo 1000000;;
    *MemTotal*) echo 1500000;;
    *) exec /usr/bin/awk "$@";; esac`,
  uname: `case $1 in -r) echo 3.10.0-1160.el7.x86_64;; -m) echo riscv64;; *) exec /usr/bin/uname "$@";; esac`,
};

/** Every finding on the bad host, with its number and what helps. */
const FINDINGS: readonly (readonly [id: string, outcome: Check['outcome'], found: RegExp, fix: RegExp])[] = [
  ['arch', 'fail', /riscv64; the site file says amd64/, /Correct arch: of host bad/],
  ['kernel', 'warn', /3\.10\.0.*4\.19\.0 and newer/, /newer kernel/],
  ['cpu', 'fail', /1 CPU; a control plane needs 2/, /Give bad 2 CPUs/],
  ['memory', 'fail', /1\.5 GB; a control plane needs 1\.8 GB/, /at least 247 MB more/],
  ['swap', 'fail', /6\.1 GB of swap are in use, and 1 GB of memory are free/, /at least 5\.1 GB more/],
  ['disk', 'warn', /512 MB free on \/small, 0 B needed, 3\.1 GB with room to grow/, /2\.6 GB more/],
  ['ports', 'fail', /6443 \(API server\) is held by nginx/, /ss -ltnp 'sport = :6443'/],
  ['address', 'fail', /127\.0\.0\.1 is not an address of it; it has 192\.168\.7\.7/, /internalAddress/],
  ['name', 'fail', /lb\.site\.example can’t be resolved/, /\/etc\/hosts of bad/],
  ['routes', 'fail', /10\.244\.8\.0\/22 \(eth1\) lies in the network of the pods, 10\.244\.0\.0\/16/, /another network\.pods/],
  ['firewall', 'warn', /firewalld is active/, /--add-port=6443\/tcp/],
  ['boot', 'warn', /462 days ago/, /Reboot bad/],
];

describeUnless(missing, 'doctor on a host with much that is wrong', () => {
  let folder: string;
  let servers: Sshd[];
  let holder: Server;
  let site: string;
  let registryPort: number;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'deliver-findings-'));
    const programs = join(folder, 'bin');
    mkdirSync(programs);
    for (const [name, text] of Object.entries(SAYS)) {
      writeFileSync(join(programs, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(programs, name), 0o755);
    }
    const path = `${programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
    const [good, bad] = await Promise.all([startSshd(), startSshd({ env: { PATH: path } })]);
    servers = [good, bad];
    registryPort = await freePort();
    // It answers nobody, and keeps nobody waiting.
    holder = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => holder.listen(registryPort, '127.0.0.1', resolve));
    site = join(folder, 'site.yaml');
    writeFileSync(
      site,
      JSON.stringify({
        apiVersion: 'deliver/v1',
        kind: 'Site',
        metadata: { name: 'plant-7' },
        hosts: [good.host('good'), { ...bad.host('bad'), arch: 'amd64' }],
        roles: { 'control-plane': ['bad'], worker: ['good'], registry: ['good'] },
        registry: {
          host: `reg.site.example:${String(registryPort)}`,
          install: { kind: 'distribution', httpsPort: registryPort },
        },
        controlPlaneEndpoint: { domain: 'lb.site.example', port: 6443, loadBalancer: 'kube-vip' },
        network: { plugin: 'flannel', pods: '10.244.0.0/16', services: '10.96.0.0/12' },
      }),
    );
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await new Promise((resolve) => holder.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  it('tells programs each finding with its number and what helps, and a person the same', async () => {
    const told = await deliver(['doctor', '--site', site, '--json'], folder);
    expect(told.exitCode, told.stderr).toBe(6);
    const last = JSON.parse(told.stdout.trim().split('\n').at(-1) ?? '') as { readonly result: DoctorResult };
    const { checks } = last.result;
    const shown = (await deliver(['doctor', '--site', site], folder)).stdout.replace(/\s+/g, ' ');
    for (const [id, outcome, found, fix] of FINDINGS) {
      const check = checks.find((one) => one.host === 'bad' && one.id === id && one.outcome !== 'pass');
      expect(check, id).toMatchObject({
        outcome,
        found: expect.stringMatching(found) as string,
        fix: expect.stringMatching(fix) as string,
      });
      expect(shown, id).toContain(`${check?.title ?? ''}: ${check?.found?.replace(/\s+/g, ' ') ?? ''}`);
      expect(shown, id).toContain(`Fix: ${check?.fix?.replace(/\s+/g, ' ') ?? ''}`);
    }
    const of = (id: string, bad = true): Check | undefined =>
      checks.find((one) => one.id === id && (one.outcome !== 'pass') === bad);
    expect(of('clock')).toMatchObject({
      outcome: 'fail',
      found: expect.stringMatching(/\b(?:10 min|600 s|599|600|601)/) as string,
      fix: expect.stringContaining('one time server') as string,
    });
    expect(of('hostname')?.found).toMatch(/all call themselves|it calls itself/);
    // A port that this very process holds.
    expect(checks.find((one) => one.id === 'ports' && one.host === 'good')).toMatchObject({
      outcome: 'fail',
      found: expect.stringContaining(`${String(registryPort)} (registry) is held by`) as string,
    });
    for (const { id, outcome, host, found, fix } of checks.filter((one) => one.outcome === 'fail' && one.host !== undefined))
      expect([id, host, outcome, found !== undefined, fix !== undefined]).toEqual([id, host, 'fail', true, true]);
  });
});
