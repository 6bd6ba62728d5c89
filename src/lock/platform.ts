import type { Platform } from '../core/oci.ts';

/** What a platform means when it names no variant (containerd platforms, defaults.go). */
const DEFAULT_VARIANT: Readonly<Record<string, string>> = { arm64: 'v8', arm: 'v7', amd64: 'v1' };

/** Reads `linux/arm64/v8`. */
export function parsePlatform(text: string): Platform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** True when both name the same machine: linux/arm64 is linux/arm64/v8. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && variantOf(a) === variantOf(b);
}

/** True for what BuildKit stores beside an image: not for any machine. */
export function isForNoMachine(platform: Platform | undefined): boolean {
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

function variantOf({ architecture, variant }: Platform): string {
  return variant === undefined || variant === '' ? (DEFAULT_VARIANT[architecture] ?? '') : variant;
}
