interface Rule {
  readonly pattern: RegExp;
  readonly negated: boolean;
  readonly foldersOnly: boolean;
  /** Matched against the whole path, not the last part of it. */
  readonly anchored: boolean;
}

/** Which files of a chart folder `helm package` leaves out (helm, internal/ignore/rules.go). */
export function helmIgnore(text: string): (path: string, isFolder: boolean) => boolean {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  // Helm's own default rule: hidden files below templates/.
  const rules = ['templates/.?*', ...lines].filter((line) => line !== '' && !line.startsWith('#')).map(ruleOf);
  return (path, isFolder) => {
    const last = path.slice(path.lastIndexOf('/') + 1);
    // As in Helm, the first rule that decides wins; a negated one leaves out what does not match it.
    return rules.some((rule) => {
      if (rule.foldersOnly && !isFolder) return false;
      return rule.pattern.test(rule.anchored ? path : last) !== rule.negated;
    });
  };
}

function ruleOf(line: string): Rule {
  const negated = line.startsWith('!');
  const rest = negated ? line.slice(1) : line;
  const foldersOnly = rest.endsWith('/');
  const glob = foldersOnly ? rest.slice(0, -1) : rest;
  return { negated, foldersOnly, anchored: glob.includes('/'), pattern: globPattern(glob.replace(/^\//, '')) };
}

/** Go's path.Match as a regular expression. */
function globPattern(glob: string): RegExp {
  const body = glob.replace(
    /\\(.)|\[(\^?)([^\]]+)\]|[*?.+^${}()|\\[\]]/g,
    (token: string, escaped?: string, not?: string, set?: string) => {
      if (escaped !== undefined) return quoted(escaped);
      if (set !== undefined) return `[${not ?? ''}${set.replace(/[\\[\]]/g, '\\$&')}]`;
      if (token === '*') return '[^/]*';
      return token === '?' ? '[^/]' : quoted(token);
    },
  );
  return new RegExp(`^${body}$`);
}

function quoted(character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/-]/, '\\$&');
}
