/** Milliseconds of Unix time between which a key counts. */
export interface TimeLimits {
  readonly validAfter?: number;
  readonly validBefore?: number;
}

const LIMIT = /(?:^|,)(valid-after|valid-before)=("[^"]*"|[^,]*)/gi;

/**
 * `valid-after` and `valid-before` among the options of an allowed_signers line (ssh-keygen(1)): YYYYMMDD[HHMM[SS]], in
 * the time of this machine, or with a final Z in UTC.
 * @returns what is wrong with them where they can't be read: a limit must never be passed over
 */
export function timeLimits(options: string): TimeLimits | string {
  const mentioned = options.match(/(?:^|,)valid-(?:after|before)\b/gi)?.length ?? 0;
  const given = options.match(LIMIT)?.length ?? 0;
  if (mentioned !== given) return 'has a time limit without a time';
  const limits: { validAfter?: number; validBefore?: number } = {};
  for (const [, name, text = ''] of options.matchAll(LIMIT)) {
    const time = timeOf(text.replaceAll('"', ''));
    if (time === undefined) return `has a time limit that is no YYYYMMDD[HHMM[SS]][Z]: ${text}`;
    if (name?.toLowerCase() === 'valid-after') limits.validAfter = time;
    else limits.validBefore = time;
  }
  return limits;
}

function timeOf(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/i.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part: string | undefined) => Number(part ?? 0));
  const parts = [year, month - 1, day, hour, minute, second] as const;
  const utc = new Date(Date.UTC(...parts));
  // Date rolls the 31st of February over: such a line is a mistake.
  if (utc.getUTCMonth() !== month - 1 || utc.getUTCDate() !== day || utc.getUTCHours() !== hour) return undefined;
  return match[7] === '' ? new Date(...parts).getTime() : utc.getTime();
}
