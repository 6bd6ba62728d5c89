import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { folderWith } from '../support/files.ts';

const START = new URL('../../bin/start.js', import.meta.url).href;
/** V8 then writes what each of its flags is. */
const TELL_FLAGS = "import v8 from 'node:v8';\nconst tellFlags = () => v8.setFlagsFromString('--help');\n";

async function flagsOf(script: string, beside: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const folder = await folderWith({ 'script.mjs': script, ...beside });
  const { stdout } = await execa(process.execPath, [join(folder, 'script.mjs')], { stdin: 'ignore' });
  return [...stdout.matchAll(/(?:default|current): (--\S+)/g)].map(([, flag = '']) => flag);
}

// nodejs/node#54918: without it a command in some hundreds that is done never ends, which no test would wait for.
it('a command runs without the compiler thread that can keep Node from ending, and without ever more room for what dies young', async () => {
  const main = `${TELL_FLAGS}export const main = async () => tellFlags();\n`;
  const script = `import { start } from ${JSON.stringify(START)};\nawait start(new URL('./main.mjs', import.meta.url));\n`;
  expect(await flagsOf(script, { 'main.mjs': main })).toEqual(
    expect.arrayContaining(['--no-concurrent-sparkplug', '--semi-space-growth-factor=1']),
  );
  // Node by itself has that thread. Once this fails, deliver need not say so any more.
  expect(await flagsOf(`${TELL_FLAGS}tellFlags();\n`)).toContain('--concurrent-sparkplug');
});
