import { execa } from 'execa';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { planBundle } from '../../src/bundle/plan.ts';
import { makeSigningKey } from '../../src/bundle/signature/make-key.ts';
import type { ClusterApi } from '../../src/cluster/port.ts';
import { beginRecord, finishRecord, type RecordFacts } from '../../src/cluster/record.ts';
import { readHead, writeHead } from '../../src/receipt/chain-head.ts';
import { bundleBytes, smallRelease } from '../support/bundles.ts';
import { deliver } from '../support/cli.ts';
import { describeOnKube } from '../support/describe-on-kube.ts';
import { folderWith } from '../support/files.ts';
import { hasCommand } from '../support/has-command.ts';
import { pictureOfLines, pictureOfSvg, scan } from '../support/qr.ts';
import { startSshAgent } from '../support/ssh-agent.ts';
import type { KubeApiServer } from '../support/kube-api.ts';

const { lock, content } = smallRelease();
const plan = planBundle(lock, []);

interface Written {
  readonly number: number;
  readonly outcome: string;
  readonly path: string;
  readonly id: string;
  readonly size: number;
  readonly text: string;
}

describeOnKube('deliver receipt', {}, (started) => {
  let kube: KubeApiServer;
  let api: ClusterApi;

  beforeAll(() => {
    ({ kube, api } = started());
  });

  test('signs what the cluster says is installed, as one chain that verify takes', async () => {
    const key = await makeSigningKey('plant-7', undefined);
    const folder = await folderWith({
      'kubeconfig.yaml': kube.kubeconfig,
      'site.yaml':
        'apiVersion: deliver/v1\nkind: Site\nmetadata: { name: plant-7 }\ncluster: { kubeconfig: ./kubeconfig.yaml }\n',
      'key.pub': `${key.publicLine}\n`,
      'suite.tar': bundleBytes(plan, content),
    });
    await writeFile(join(folder, 'key'), key.privateText, { mode: 0o600 });
    const receipt = async (...more: string[]): Promise<{ exitCode: number | undefined; result: Written; error: string }> => {
      const { exitCode, stdout, stderr } = await deliver(
        ['receipt', '--site', 'site.yaml', '--key', 'key', '--json', ...more],
        folder,
      );
      const last = JSON.parse(stdout.split('\n').at(-1) ?? '{}') as { result: Written };
      return { exitCode, result: last.result, error: stdout + stderr };
    };

    const nothing = await receipt();
    expect(nothing.exitCode).toBe(6);
    expect(nothing.error).toContain('E_NOTHING_INSTALLED');

    const facts: RecordFacts = {
      name: lock.metadata.name,
      version: lock.metadata.version,
      root: plan.root.digest,
      site: 'plant-7',
      inventory: [],
      urls: [],
      trust: { signers: ['release@corp (SHA256:abc)'] },
    };
    await beginRecord(api, facts, new Date());
    expect((await receipt()).exitCode).toBe(6);
    await finishRecord(api, facts, new Date());

    const first = await receipt();
    expect(first).toMatchObject({ exitCode: 0, result: { number: 1, outcome: 'written', path: 'plant-7-3.6.2.receipt.json' } });
    expect(first.result.size).toBeLessThan(1400);
    expect((await receipt()).result).toMatchObject({ number: 1, outcome: 'unchanged', id: first.result.id });

    const full = await receipt('--full', 'suite.tar', '--out', 'full.json');
    expect(full.result).toMatchObject({ number: 2, outcome: 'written' });
    const said = JSON.parse(await readFile(join(folder, 'full.json'), 'utf8')) as { digests: string[]; previous: string };
    expect(said.previous).toBe(first.result.id);
    expect(said.digests).toContain(lock.images[0]?.blobs[0]?.digest);
    expect((await receipt('--full', 'suite.tar', '--out', 'full.json')).result.outcome).toBe('unchanged');
    expect((await receipt('--out', 'key.pub')).error).toContain('E_OUTPUT');

    await finishRecord(api, { ...facts, urls: ['https://a'] }, new Date(Date.now() + 1000));
    await writeFile(join(folder, 'typed.txt'), first.result.text);
    const verify = (...files: string[]) => deliver(['receipt', 'verify', ...files, '--trust', 'key.pub'], folder);
    const good = await verify('typed.txt', 'full.json');
    expect(good.stdout).toContain('2 receipts, one chain');

    const drawn = await deliver(
      ['receipt', '--site', 'site.yaml', '--key', 'key', '--out', 'third.json', '--qr', '--qr-file', 'code.svg'],
      folder,
    );
    expect(drawn.exitCode, drawn.stderr).toBe(0);
    const codes = drawn.stdout
      .split(/Code \d of \d\n/)
      .slice(1)
      .map((part) => part.split('\n').filter((line) => /^[█▀▄ ]{60,}$/.test(line)));
    await writeFile(join(folder, 'scanned.txt'), codes.map((lines) => scan(pictureOfLines(lines, 255))).join('\n'));
    await writeFile(join(folder, 'printed.txt'), scan(pictureOfSvg(await readFile(join(folder, 'code.svg'), 'utf8'))) ?? '');
    for (const file of ['scanned.txt', 'printed.txt'])
      expect((await verify('typed.txt', 'full.json', file)).stdout).toContain('3 receipts, one chain');

    const reordered = await verify('full.json', 'typed.txt');
    expect(reordered.exitCode).toBe(4);
    expect(reordered.stderr).toContain('They are a chain in this order: typed.txt full.json');
  });

  test.skipIf(!hasCommand('ssh-agent'))('signs with a key that an ssh-agent holds', async () => {
    const folder = await folderWith({
      'kubeconfig.yaml': kube.kubeconfig,
      'site.yaml':
        'apiVersion: deliver/v1\nkind: Site\nmetadata: { name: plant-7 }\ncluster: { kubeconfig: ./kubeconfig.yaml }\n',
    });
    const agent = await startSshAgent(folder);
    try {
      const env = { SSH_AUTH_SOCK: agent.socket };
      await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'plant-7', '-f', join(folder, 'key')]);
      await execa('ssh-add', ['-q', join(folder, 'key')], { env });
      // Only the agent can sign with it from here on.
      await rm(join(folder, 'key'));
      const args = ['receipt', '--site', 'site.yaml', '--key', 'key.pub', '--out', 'agent.json'];
      const signed = await deliver(args, folder, env);
      expect(signed.exitCode, signed.stderr).toBe(0);
      expect((await deliver(['receipt', 'verify', 'agent.json', '--trust', 'key.pub'], folder)).exitCode).toBe(0);
      const alone = await deliver(args, folder, { SSH_AUTH_SOCK: '' });
      expect([alone.exitCode, alone.stderr]).toEqual([3, expect.stringContaining('ssh-add') as string]);
    } finally {
      await agent.stop();
    }
  });

  test('lets only one of two who ask at the same time continue the chain', async () => {
    const head = await readHead(api);
    const receipt = head.last?.receipt;
    if (receipt === undefined) throw new Error('the test before has left no receipt');
    await writeHead(api, head, { ...receipt, number: 8, previous: receipt.previous ?? plan.root.digest });
    await expect(writeHead(api, head, { ...receipt, number: 9 })).rejects.toThrowWithCode('E_APPLY');
  });
});
