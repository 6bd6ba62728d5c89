import { readFile, writeFile } from 'node:fs/promises';
import { Ajv, type AnySchema } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { jsonSchemas } from '../../../src/manifest/json-schema.ts';

const schemas = jsonSchemas().map(({ name, schema }) => ({ name, text: `${JSON.stringify(schema, undefined, 2)}\n` }));

describe('docs/schema', () => {
  it.each(schemas)('has the $name schema as the code says it (UPDATE=1 rewrites it)', async ({ name, text }) => {
    const path = `docs/schema/${name}.schema.json`;
    if (process.env.UPDATE === '1') await writeFile(path, text);
    expect(await readFile(path, 'utf8').catch(() => 'missing')).toBe(text);
  });

  it.each([
    ['release', 'manifests/gatekeeper-suite.yaml'],
    ['site', 'manifests/plant-7.site.yaml'],
  ])('lets an editor accept the sample %s', async (name, path) => {
    const text = schemas.find((schema) => schema.name === name)?.text ?? '';
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(JSON.parse(text) as AnySchema);
    expect(validate(parse(await readFile(path, 'utf8'))), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ apiVersion: 'deliver/v1', surprise: true })).toBe(false);
  });

  it.each(['release', 'site'])('is named by a comment in the sample %s', async (name) => {
    const path = name === 'site' ? 'manifests/plant-7.site.yaml' : 'manifests/gatekeeper-suite.yaml';
    expect((await readFile(path, 'utf8')).split('\n')[0]).toBe(
      `# yaml-language-server: $schema=../docs/schema/${name}.schema.json`,
    );
  });
});
