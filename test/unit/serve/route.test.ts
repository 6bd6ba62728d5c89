import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { parseRoute } from '../../../src/serve/route.ts';

const digest = digestOf('x');
const kinds = (target: string): string => parseRoute(target).kind;

it.each([
  ['/v2', { kind: 'base' }],
  ['/v2/', { kind: 'base' }],
  ['/v2/_catalog', { kind: 'catalog' }],
  ['/v2/a/tags/list', { kind: 'tags', name: 'a' }],
  ['/v2/docker.io/library/busybox/manifests/1.36', { kind: 'manifest', name: 'docker.io/library/busybox', reference: '1.36' }],
  [`/v2/a/b/manifests/${digest}`, { kind: 'manifest', name: 'a/b', reference: digest }],
  [`/v2/a/b/blobs/${digest}`, { kind: 'blob', name: 'a/b', digest }],
  [`/v2/a/b/blobs/${digest.replace(':', '%3A')}`, { kind: 'blob', name: 'a/b', digest }],
  [`/v2/a/b/referrers/${digest}`, { kind: 'referrers', name: 'a/b', digest }],
  ['/v2/a/b/blobs/uploads/', { kind: 'upload', name: 'a/b' }],
  ['/v2/a/b/blobs/uploads/0123', { kind: 'upload', name: 'a/b' }],
  // Words of the API are names too.
  ['/v2/tags/list/tags/list', { kind: 'tags', name: 'tags/list' }],
  ['/v2/manifests/blobs/manifests/tags', { kind: 'manifest', name: 'manifests/blobs', reference: 'tags' }],
])('knows %s', (target, expected) => {
  expect(parseRoute(target)).toMatchObject(expected);
});

it('gives the query on', () => {
  const route = parseRoute('/v2/a/tags/list?n=2&last=b&ns=docker.io');
  expect('query' in route ? route.query.toString() : '').toBe('n=2&last=b&ns=docker.io');
});

describe('a hostile path', () => {
  it.each([
    '/v2/../etc/passwd/manifests/x',
    '/v2/a/../b/manifests/x',
    '/v2/a//b/manifests/x',
    '/v2/a%2fb/manifests/x',
    '/v2/a%2F..%2Fb/tags/list',
    '/v2/%2e%2e/tags/list',
    '/v2/A/tags/list',
    '/v2/a%00/tags/list',
    '/v2/a%/tags/list',
    '/v2/-a/tags/list',
    '/v2//tags/list',
    '/v2/tags/list',
    `/v2/${'a/'.repeat(200)}a/tags/list`,
  ])('%s is no name', (target) => {
    expect(kinds(target)).toBe('bad-name');
  });

  it.each(['sha256:x', 'sha256:', ':', 'x', `${digest}0`, digest.toUpperCase(), 'sha512:00', `md5 :${'0'.repeat(32)}`])(
    '%s is no digest',
    (text) => {
      expect(kinds(`/v2/a/blobs/${text}`)).toBe('bad-digest');
      expect(kinds(`/v2/a/referrers/${text}`)).toBe('bad-digest');
    },
  );

  it('takes another algorithm for a digest, though nothing here has one', () => {
    expect(kinds(`/v2/a/blobs/sha512:${'0'.repeat(128)}`)).toBe('blob');
  });

  it.each(['', '/', '/v1/a', 'v2/', '/v2x/', '*', 'http://host/v2/', '/v2/a', '/v2/a/tags', '/v2/a/tags/list/'])(
    '%s leads nowhere',
    (target) => {
      expect(kinds(target)).toBe('nowhere');
    },
  );
});

it('never throws, and lets no name through that is none', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('..', '%2f', '%', 'manifests', 'blobs', 'tags', 'list', 'a', '', digest));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const route = parseRoute(`/v2/${pieces.join('/')}`);
      if (!('name' in route) || route.kind === 'bad-name') return;
      expect(route.name).toMatch(/^[a-z0-9._/-]+$/);
      expect(route.name).not.toContain('..');
    }),
    { seed: 4 },
  );
});
