const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  amd64: 'amd64',
  aarch64: 'arm64',
  arm64: 'arm64',
  armv7l: 'arm/v7',
  armv6l: 'arm/v6',
  i686: '386',
  ppc64le: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
};

/** `Linux`, `x86_64` of uname → `linux/amd64`, as the OCI image index names it. */
export function platformOf(system: string, machine: string): string {
  return `${system.toLowerCase()}/${ARCHITECTURES[machine] ?? machine}`;
}

/** True when images for one of these platforms run on `platform`; a variant may be left out on either side (`linux/arm64/v8`). */
export function runsOn(platforms: readonly string[], platform: string): boolean {
  return platforms.some(
    (wanted) => wanted === platform || wanted.startsWith(`${platform}/`) || platform.startsWith(`${wanted}/`),
  );
}
