import { fileURLToPath } from 'node:url';
import { importKubeKey, type ImportResult } from '../flows/import-kubekey.ts';

/** Where editors find the JSON Schemas: docs/schema of this package. */
const SCHEMAS = fileURLToPath(new URL('../../docs/schema', import.meta.url));

/** @throws DeliverError E_OUTPUT, and whatever is wrong with the file */
export function composeImport(wish: { readonly path: string; readonly output: string }): Promise<ImportResult> {
  return importKubeKey({ ...wish, schemas: SCHEMAS });
}
