import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { passwordProbe, sudoRefusal, withoutPassword, withPassword } from '../../../src/ssh/sudo.ts';
import { runHere } from '../../support/local-host.ts';

// The two ways a real sudo -S behaves; the lab has a real one.
const READS =
  '#!/bin/sh\nIFS= read -r given\n[ "$given" = "pass word\'\\$x" ] || { echo "sudo: 1 incorrect password attempt" >&2; exit 1; }\n';
const DOES_NOT_READ = '#!/bin/sh\n';
const RUN = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"\n';

const password = new Secret("pass word'$x");
const host = { name: 'cp1', address: '10.0.0.1', user: 'ops', sudo: true };
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deliver-sudo-'));
  for (const [name, script] of [
    ['reads', READS],
    ['free', DOES_NOT_READ],
  ] as const) {
    const bin = join(folder, name);
    writeFileSync(bin, `${script}${RUN}`);
    chmodSync(bin, 0o755);
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function through(
  kind: 'reads' | 'free',
  command: string,
  input?: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { line, input: bytes } = withPassword(command, password, input === undefined ? undefined : Buffer.from(input));
  expect(line).not.toContain('pass word');
  return runHere(line.replace('sudo', join(folder, kind)), bytes === undefined ? {} : { stdin: bytes });
}

describe('sudo with a password', () => {
  it.each(['reads', 'free'] as const)('gives the command its own input and never the password, when sudo %s', async (kind) => {
    expect(await through(kind, 'cat', 'line one\nline two')).toEqual({ code: 0, stdout: 'line one\nline two', stderr: '' });
    expect(await through(kind, 'cat; exit 5')).toEqual({ code: 5, stdout: '', stderr: '' });
  });

  it('tries a password once and alone', async () => {
    const probe = passwordProbe(new Secret('not-that-password'));
    const ran = await runHere(
      probe.line.replace('sudo', join(folder, 'reads')),
      probe.input === undefined ? {} : { stdin: probe.input },
    );
    expect(probe.input).toEqual(Buffer.from('not-that-password\n'));
    expect(sudoRefusal(host, { ...ran, stdout: Buffer.from(ran.stdout), stderr: Buffer.from(ran.stderr) })).toThrowWithCode(
      'E_SUDO',
      'is wrong',
    );
  });
});

describe('a refusal of sudo', () => {
  const said = (text: string, code = 1): ReturnType<typeof sudoRefusal> =>
    sudoRefusal(host, { code, stdout: Buffer.alloc(0), stderr: Buffer.from(text) });

  it('is explained', () => {
    expect(said('sudo: a password is required\n')).toThrowWithCode('E_SUDO', 'gives none');
    expect(said('sudo: sorry, you must have a tty to run sudo\n')).toThrowWithCode('E_SUDO', '!requiretty');
    expect(said('Sorry, user ops is not allowed to execute ‘/bin/sh’ as root on cp1.\n')).toThrowWithCode(
      'E_SUDO',
      'may not run sh',
    );
    expect(said('ops is not in the sudoers file.\n')).toThrowWithCode('E_SUDO', 'may not run sh');
    expect(said('env: ‘sudo’: No such file or directory\n', 127)).toThrowWithCode('E_SUDO', 'not installed');
  });

  it('is told from a command that failed', () => {
    expect(said('grep: /x: No such file or directory\n')).toBeUndefined();
    expect(said('', 2)).toBeUndefined();
  });

  it('never asks where no password is known', () => {
    expect(withoutPassword('id').line).toBe("exec env LC_ALL=C sudo -n -- sh -c 'id'");
  });
});
