import { describe, expect, it } from 'vitest';
import { appFileName } from '../../../src/lock/app-file-name.ts';

/** image-spec annotations.md, org.opencontainers.image.ref.name. */
const REF_NAME = /^[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*$/;

describe('the name of an app’s file', () => {
  it('shows the app and the path', () => {
    expect(appFileName('notice', '/www/index.html')).toBe('apps/notice/www/index.html');
  });

  it.each(['/etc/.hidden', '/etc/a b', '/etc/a__b', '/etc//x', '/etc/ä', '/...', '/a-/b', '/a---b'])(
    'fits an OCI reference for %s',
    (path) => {
      expect(appFileName('web', path)).toMatch(REF_NAME);
      expect(appFileName('a---b', path)).toMatch(REF_NAME);
    },
  );

  it('differs for paths that would look the same', () => {
    const paths = ['/etc/a-b', '/etc/a_b', '/etc/a__b', '/etc/a--b', '/etc/a b', '/etc/.a-b', '/etc//a-b'];
    expect(new Set(paths.map((path) => appFileName('web', path))).size).toBe(paths.length);
  });
});
