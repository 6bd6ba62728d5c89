import { readdir } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { folderWith } from '../support/files.ts';

const DEMO = new URL('../demo/embedded.ts', import.meta.url).pathname;
// From the sources: the test must not depend on what was built last.
const DELIVER_CLI = new URL('../../bin/dev.js', import.meta.url).pathname;

it('the demo without a lab carries a release from registry to registry, and leaves nothing behind', async () => {
  const folder = await folderWith();
  const { stdout, stderr, exitCode } = await execa(process.execPath, [DEMO], {
    env: { DELIVER_CLI, TMPDIR: folder, NO_COLOR: '1', DELIVER_DEMO_WHY: 'in a test' },
    timeout: 60_000,
    reject: false,
  });
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/has all 2 references: \d+ MB sent, 2 projects made\./);
  expect(stdout).toContain('nothing was changed');
  expect(stdout.match(/manifest, config and 2 layers are whole/g)).toHaveLength(2);
  const leftOut = stdout.slice(stdout.indexOf('Left out'));
  for (const part of ['SSH', 'nodes', 'Kubernetes', 'ingress', 'Redis', 'plan, install and status'])
    expect(leftOut).toContain(part);
  expect(await readdir(folder)).toEqual([]);
}, 70_000);
