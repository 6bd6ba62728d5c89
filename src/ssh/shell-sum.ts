/** Shell functions: `sum_in` gives the sha256 of its input in hex, by whatever the host has, `sum FILE` that of a file. */
export const SHELL_SUM = [
  'sum_in() {',
  '  if command -v sha256sum >/dev/null 2>&1; then s=$(sha256sum); elif command -v openssl >/dev/null 2>&1; then',
  '    s=$(openssl dgst -sha256 -r); else s=$(busybox sha256sum); fi',
  String.raw`  printf '%s\n' "${'$'}{s%% *}"`,
  '}',
  'sum() { sum_in <"$1"; }',
].join('\n');
