/** The shell function `sum FILE`: its sha256 in hex, by whatever the host has. */
export const SHELL_SUM = [
  'sum() {',
  '  if command -v sha256sum >/dev/null 2>&1; then s=$(sha256sum <"$1"); elif command -v openssl >/dev/null 2>&1; then',
  '    s=$(openssl dgst -sha256 -r <"$1"); else s=$(busybox sha256sum <"$1"); fi',
  String.raw`  printf '%s\n' "${'$'}{s%% *}"`,
  '}',
].join('\n');
