import { readFile, rename, writeFile } from 'node:fs/promises';

/** What checks a bundle without deliver; the same bytes beside every bundle. */
const SCRIPT = new URL('../../bin/verify.sh', import.meta.url);

/** `<bundle>.verify.sh`, the bundle's name without .tar. */
export function verifyScriptPath(bundlePath: string): string {
  return `${bundlePath.replace(/\.tar$/, '')}.verify.sh`;
}

/** The script itself. */
export async function readVerifyScript(): Promise<Buffer> {
  return readFile(SCRIPT);
}

/** Writes the script beside a bundle, unless it is there already. */
export async function writeVerifyScript(bundlePath: string): Promise<void> {
  const path = verifyScriptPath(bundlePath);
  const script = await readVerifyScript();
  if ((await readFile(path).catch(() => undefined))?.equals(script) === true) return;
  await writeFile(`${path}.part`, script, { mode: 0o755 });
  await rename(`${path}.part`, path);
}
