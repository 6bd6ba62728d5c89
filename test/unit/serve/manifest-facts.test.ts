import fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { MEDIA } from '../../../src/core/oci.ts';
import { manifestFacts } from '../../../src/serve/manifest-facts.ts';

const PLAIN = { mediaType: MEDIA.manifest, digest: digestOf('itself'), size: 9 };
const subject = { mediaType: MEDIA.manifest, digest: digestOf('subject'), size: 1 };
const config = { mediaType: 'application/vnd.example.config', digest: digestOf('config'), size: 1 };
const facts = (json: unknown, plain: Parameters<typeof manifestFacts>[1] = PLAIN): ReturnType<typeof manifestFacts> =>
  manifestFacts(Buffer.from(JSON.stringify(json)), plain);

it('takes the type of an artifact from its field, else from its config; an index has none of its own', () => {
  expect(facts({ subject, config, artifactType: 'a/b' })?.descriptor.artifactType).toBe('a/b');
  expect(facts({ subject, config })?.descriptor.artifactType).toBe(config.mediaType);
  expect(facts({ subject, config }, { ...PLAIN, mediaType: MEDIA.index })?.descriptor).not.toHaveProperty('artifactType');
});

it('finds what a manifest is about and needs', () => {
  expect(facts({ subject, config, layers: [config], annotations: { a: 'b' } })).toEqual({
    subject: subject.digest,
    children: [],
    blobs: [config.digest, config.digest],
    descriptor: { ...PLAIN, artifactType: config.mediaType, annotations: { a: 'b' } },
  });
});

it('never throws, whatever a manifest holds', () => {
  fc.assert(
    fc.property(
      fc.json(),
      fc.constantFrom('subject', 'config', 'layers', 'annotations', 'manifests', 'artifactType'),
      (text, key) => {
        expect(() => manifestFacts(Buffer.from(text), PLAIN)).not.toThrow();
        expect(facts({ [key]: JSON.parse(text) as unknown })?.descriptor).toMatchObject(PLAIN);
      },
    ),
    { seed: 4 },
  );
});
