import { readFileSync } from 'node:fs';
import { extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Interfaces } from '@oclif/core';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Tells oclif where the command table is, in src/ or dist/, so that it looks for nothing on its own. */
export function loadOptions(): { readonly root: string; readonly pjson: Interfaces.PJSON } {
  const pjson = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Interfaces.PJSON;
  const here = fileURLToPath(import.meta.url);
  const table = here.replace(/load-options(\.[jt]s)$/, `command-table${extname(here)}`);
  const commands = { strategy: 'explicit' as const, target: `./${relative(ROOT, table)}`, identifier: 'COMMANDS' };
  return { root: ROOT, pjson: { ...pjson, oclif: { ...pjson.oclif, commands } } };
}
