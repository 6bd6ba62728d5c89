import { expect, it } from 'vitest';
import { parseChallenges } from '../../../src/registry/challenge.ts';

function read(header: string): unknown[] {
  return parseChallenges(header).map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);
}

it('reads a token challenge with quoted commas and spaces', () => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push repository:c:pull"';
  expect(read(header)).toEqual([
    [
      'bearer',
      {
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:a/b:pull,push repository:c:pull',
      },
    ],
  ]);
});

it('reads several schemes in one header', () => {
  expect(read('Negotiate, Basic realm="a \\"b\\"", BEARER Realm=x , error=invalid_token')).toEqual([
    ['negotiate', {}],
    ['basic', { realm: 'a "b"' }],
    ['bearer', { realm: 'x', error: 'invalid_token' }],
  ]);
});

it('finds nothing in an empty challenge, and survives nonsense', () => {
  expect(read('')).toEqual([]);
  expect(read(' ,,= "" realm="x')).not.toBeUndefined();
  expect(read('Negotiate YII=, Basic realm="r"').at(-1)).toEqual(['basic', { realm: 'r' }]);
});
