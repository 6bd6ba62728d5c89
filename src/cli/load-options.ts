import { readFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Interfaces } from '@oclif/core';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Tells oclif where the command table is, in src/ or dist/, so that it looks for nothing on its own. */
export function loadOptions(): { readonly root: string; readonly pjson: Interfaces.PJSON } {
  const pjson = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Interfaces.PJSON;
  const commands = { strategy: 'explicit' as const, target: beside('command-table'), identifier: 'COMMANDS' };
  return { root: ROOT, pjson: { ...pjson, oclif: { ...pjson.oclif, commands, helpClass: beside('help') } } };
}

/** Path from the package's root of a module in this folder. */
function beside(name: string): string {
  const here = fileURLToPath(import.meta.url);
  return `./${relative(ROOT, join(dirname(here), name + extname(here)))}`;
}
