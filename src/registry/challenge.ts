export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly params: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const EQUALS = /[ \t]*=[ \t]*/y;

/**
 * The challenges of a WWW-Authenticate header, in order: one header may hold several schemes (RFC 9110 11.6.1).
 * Whatever can't be read is skipped.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; params: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match[1] ?? match[0];
  };
  while (at < header.length) {
    const word = take(TOKEN);
    if (word === undefined) {
      at++;
      continue;
    }
    if (take(EQUALS) === undefined) {
      challenges.push({ scheme: word.toLowerCase(), params: new Map() });
      continue;
    }
    const value = take(QUOTED)?.replace(/\\(.)/g, '$1') ?? take(TOKEN) ?? '';
    challenges.at(-1)?.params.set(word.toLowerCase(), value);
  }
  return challenges;
}
