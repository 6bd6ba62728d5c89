const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `96 MB`, `4.4 GB`, `512 B`: decimal units, one digit after the point below 10. */
export function bytesText(bytes: number): string {
  const power = powerOf(bytes);
  return `${scaled(bytes, power)} ${unitOf(power)}`;
}

/** `3.1 of 4.4 GB`: both in the unit of the total. */
export function bytesOfText(done: number, total: number): string {
  const power = powerOf(total);
  const whole = power === 0 || (total / 1000 ** power >= 10 && power < 3);
  return `${(done / 1000 ** power).toFixed(whole ? 0 : 1)} of ${bytesText(total)}`;
}

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. Milliseconds in. */
export function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** `1 image`, `3 images`, `2 registries`. */
export function countText(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${/[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

/** The power of 1000 whose unit gives the number fewer than four digits, rounding considered (999.6 KB is 1 MB). */
function powerOf(bytes: number): number {
  let power = 0;
  while (power < UNITS.length - 1 && Math.round(bytes / 1000 ** power) >= 1000) power += 1;
  return power;
}

function scaled(bytes: number, power: number): string {
  const value = bytes / 1000 ** power;
  if (power === 0 || value >= 9.95) return value.toFixed(0);
  return value.toFixed(1).replace(/\.0$/, '');
}

function unitOf(power: number): string {
  return UNITS[power] ?? 'B';
}
