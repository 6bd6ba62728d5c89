const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `4.4 GB`: powers of 1000, one decimal from MB up. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit < 2 || value >= 100 ? String(Math.round(value)) : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}
