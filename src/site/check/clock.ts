/** Moments of one exchange with a host in ms since 1970: asked and answered here, began and ended there. */
export interface Exchange {
  readonly asked: number;
  readonly began: number;
  readonly ended: number;
  readonly answered: number;
}

/** How far a clock is ahead of another one, in ms, and how far that figure may be off. */
export interface Skew {
  readonly ahead: number;
  readonly error: number;
}

/** Offset and delay as NTP computes them (RFC 5905 section 8): what the host does in between doesn't count. */
export function skewOf({ asked, began, ended, answered }: Exchange): Skew {
  return { ahead: (began - asked + (ended - answered)) / 2, error: (answered - asked - (ended - began)) / 2 };
}

/** A skew relative to another host's, both measured from here. */
export function relativeTo(skew: Skew, reference: Skew): Skew {
  return { ahead: skew.ahead - reference.ahead, error: skew.error + reference.error };
}

/** ms that two clocks differ at least. */
export function certainSkew({ ahead, error }: Skew): number {
  return Math.max(0, Math.abs(ahead) - Math.max(0, error));
}

/** `41 s ahead of`, `2.3 s behind`, `6 min ahead of`, `in step with`. */
export function skewText({ ahead }: Skew): string {
  if (Math.abs(ahead) < 100) return 'in step with';
  const seconds = Math.abs(ahead) / 1000;
  const amount =
    seconds >= 120 ? `${String(Math.round(seconds / 60))} min` : `${seconds >= 10 ? seconds.toFixed(0) : seconds.toFixed(1)} s`;
  return `${amount} ${ahead < 0 ? 'behind' : 'ahead of'}`;
}

/** ms since 1970 from `date +%s%N`, also where date knows no nanoseconds and prints seconds and an N. */
export function momentOf(text: string): number | undefined {
  const digits = /^\d+/.exec(text)?.[0];
  if (digits === undefined) return undefined;
  return digits.length > 12 ? Number(digits.slice(0, -6)) : Number(digits) * 1000;
}
