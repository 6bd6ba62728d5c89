import type { ServerResponse } from 'node:http';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { folderWith } from '../support/files.ts';
import { startHttp } from '../support/http.ts';
import { releaseText } from '../support/releases.ts';
import { bySize } from '../support/size.ts';

const DEV = new URL('../../bin/dev.js', import.meta.url).pathname;
/** Says at the end how much memory the whole process had at most, in KB. */
const SAY_MEMORY = `--import=data:text/javascript,${encodeURIComponent(
  "process.on('exit',()=>console.error('memory '+process.resourceUsage().maxRSS))",
)}`;
const MIB = 1024 * 1024;

/** A file of so many MiB with its length, as fast as it is taken. */
function send(response: ServerResponse, name: string, mebibytes: number): void {
  const piece = Buffer.alloc(MIB, name);
  response.writeHead(200, { 'content-length': mebibytes * MIB });
  let left = mebibytes;
  const more = (): void => {
    while (left > 0) {
      left -= 1;
      if (left === 0) response.end(piece);
      else if (!response.write(piece)) break;
    }
  };
  response.on('drain', more);
  more();
}

it.each(['resolve', 'pack'])('%s takes files of any size from servers in bounded memory', { timeout: 240_000 }, async (verb) => {
  const size = bySize(120, 600);
  const url = await startHttp(({ url: name = '' }, response) => {
    send(response, name, size);
  });
  const files = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, url: `${url}/${name}` }));
  const folder = await folderWith({ 'suite.yaml': releaseText({ files }) });
  const run = await execa(process.execPath, [SAY_MEMORY, DEV, verb, 'suite.yaml'], {
    cwd: folder,
    env: { HTTP_PROXY: '', HTTPS_PROXY: '', http_proxy: '', https_proxy: '' },
    reject: false,
    stdin: 'ignore',
    timeout: 200_000,
  });
  expect(run.exitCode, run.stderr).toBe(0);
  const memory = Number(/memory (\d+)/.exec(run.stderr)?.[1]) * 1024;
  expect(memory).toBeGreaterThan(0);
  expect(memory).toBeLessThan(200_000_000);
});
