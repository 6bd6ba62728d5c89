import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeScript } from '../../../src/ssh/remote-file.ts';
import { runHere } from '../../support/local-host.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deliver-write-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('writing a file on a host', () => {
  it('keeps the old file when the line is cut in the middle of the transfer', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old and whole');
    const ran = await runHere(writeScript(path, 1000, 0o644), { stdin: 'only the beginning' });
    expect(ran).toMatchObject({ code: 1, stderr: 'the transfer was cut off\n' });
    expect(readFileSync(path, 'utf8')).toBe('old and whole');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('leaves nothing behind in a folder that it can’t write the name to', async () => {
    const ran = await runHere(writeScript(join(folder, 'x'.repeat(300)), 1, 0o644), { stdin: 'x' });
    expect(ran.code).not.toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });
});
