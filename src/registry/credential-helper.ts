import { execFile } from 'node:child_process';
import { z } from 'zod';
import { DeliverError, excerpt, systemCode } from '../core/errors.ts';
import { redact } from '../core/secret.ts';
import { parseJson } from './http-problem.ts';
import type { RegistryAccount } from './port.ts';

const Answer = z.object({ Username: z.string(), Secret: z.string() });
const TIMEOUT = 30_000;

/**
 * Runs `docker-credential-<helper> get` with the registry on standard input (docker/docker-credential-helpers).
 * @returns undefined when the helper knows no account for it
 * @throws DeliverError E_SOURCE_AUTH
 */
export async function askCredentialHelper(
  helper: string,
  registry: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RegistryAccount | undefined> {
  const program = `docker-credential-${helper}`;
  if (!/^[A-Za-z0-9._-]+$/.test(helper)) throw failed(program, registry, 'its name is malformed');
  const { error, stdout, stderr } = await run(program, registry, env);
  if (error === null) {
    const answer = Answer.safeParse(parseJson(stdout));
    if (!answer.success) throw failed(program, registry, 'its answer is not the JSON that was expected');
    return { username: answer.data.Username, password: answer.data.Secret };
  }
  // Helpers say this on standard output and exit 1.
  if (/credentials not found/i.test(stdout + stderr)) return undefined;
  const why = systemCode(error) === 'ENOENT' ? 'it is not in PATH' : `${stdout} ${stderr}`.trim();
  throw failed(program, registry, why === '' ? 'it failed without a word' : redact(excerpt(why, 300)));
}

function run(
  program: string,
  input: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ error: Error | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      ['get'],
      { env: { ...env }, timeout: TIMEOUT, maxBuffer: 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ error, stdout, stderr });
      },
    );
    // A helper that never reads its input must not take us down with EPIPE.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function failed(program: string, registry: string, why: string): DeliverError {
  return new DeliverError('E_SOURCE_AUTH', {
    what: `${program} gave no account for ${registry}.`,
    why,
    fix: 'Repair the helper, or remove credsStore and credHelpers from the docker config and log in again.',
  });
}
