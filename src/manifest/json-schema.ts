import { z } from 'zod';
import { LockSchema } from '../lock/lock-schema.ts';
import { ReleaseSchema } from './release-schema.ts';
import { SiteSchema } from './site-schema.ts';

/** The JSON Schemas (draft 7, what editors read) of the three files; `docs/schema/<name>.schema.json` must equal them. */
export function jsonSchemas(): readonly { readonly name: string; readonly schema: object }[] {
  return [
    { name: 'release', schema: jsonSchema('release', ReleaseSchema) },
    { name: 'site', schema: jsonSchema('site', SiteSchema) },
    { name: 'lock', schema: jsonSchema('lock', LockSchema) },
  ];
}

function jsonSchema(name: string, schema: z.ZodType): object {
  const json = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any', reused: 'inline' });
  return { $id: `${name}.schema.json`, ...json };
}
