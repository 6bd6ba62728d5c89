import { describe, expect, it } from 'vitest';
import { platformOf, runsOn } from '../../../src/site/platform.ts';

describe('platform of a host', () => {
  it('is named as OCI does', () => {
    expect(platformOf('Linux', 'x86_64')).toBe('linux/amd64');
    expect(platformOf('Linux', 'aarch64')).toBe('linux/arm64');
    expect(platformOf('Linux', 'armv7l')).toBe('linux/arm/v7');
  });

  it('matches with and without a variant', () => {
    expect(runsOn(['linux/amd64'], 'linux/amd64')).toBe(true);
    expect(runsOn(['linux/arm64/v8'], 'linux/arm64')).toBe(true);
    expect(runsOn(['linux/arm'], 'linux/arm/v7')).toBe(true);
    expect(runsOn(['linux/arm64'], 'linux/amd64')).toBe(false);
    expect(runsOn(['linux/arm64'], 'linux/arm')).toBe(false);
  });
});
