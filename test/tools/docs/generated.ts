import { jsonSchemas } from '../../../src/manifest/json-schema.ts';
import { cliReference } from './cli-reference.ts';
import { errorTable } from './error-table.ts';

export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly content: string;
}

/** Every generated page, as it should be. */
export function generatedDocs(): readonly Page[] {
  return [
    { path: 'docs/reference/cli.md', content: cliReference() },
    { path: 'docs/errors.md', content: errorTable() },
    ...jsonSchemas().map(({ name, schema }) => ({
      path: `docs/schema/${name}.schema.json`,
      content: `${JSON.stringify(schema, null, 2)}\n`,
    })),
  ];
}
