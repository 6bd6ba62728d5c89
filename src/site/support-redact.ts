import { redactCounted } from '../core/secret.ts';

/** What a text looked like before is nobody's business: each rule replaces what it finds and says how often. */
interface Rule {
  /** As REDACTED.txt names it. */
  readonly name: string;
  readonly pattern: RegExp;
  /** `$1` … of the pattern that stay; what was found is `***` when absent. */
  readonly keep?: string;
}

const MARK = '***';
/** The value behind a key: quoted (also inside a quoted text), or one word. Objects, lists, empty values and words of YAML stay. */
const VALUE = String.raw`(?!\\*["']?\$\{secret\.)(?:\\+"(?:(?!\\+").)+\\+"|"(?:[^"\\]|\\.)+"|'[^'\n]+'|(?!\\*["'{\[]|(?:null|true|false|<none>|<nil>|\*\*\*)(?![\w-]))[^\s,;&}\]]+)`;
const SENSITIVE = String.raw`(?:password|passwd|passphrase|passwort|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key|encryption[_-]?key|certificate[_-]?key|credentials?|htpasswd|session[_-]?id|cookie)`;

const RULES: readonly Rule[] = [
  {
    name: 'private key',
    pattern:
      /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|$(?![\s\S]))/g,
  },
  // A log that begins in the middle of one.
  { name: 'private key', pattern: /^(?:(?!-----BEGIN)[\s\S])*?-----END [A-Z0-9 ]*PRIVATE KEY-----/g },
  {
    name: 'private key',
    pattern: /\bLS0tLS1CRUdJTi[A-Za-z0-9+/]*(?:UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)[A-Za-z0-9+/=]*/g,
  },
  { name: 'client-key-data of a kubeconfig', pattern: /(client-key-data\\*["']?\s*:\s*\\*["']?)[A-Za-z0-9+/=]+/g, keep: '$1' },
  { name: 'data of a Secret', pattern: /^(\s*)((?:data|stringData):)[ \t]*\n(?:\1[ \t]+\S.*(?:\n|$))+/gm, keep: '$1$2 ' },
  { name: 'data of a Secret', pattern: /(\\*"(?:data|stringData)\\*"\s*:\s*)\{[^{}]*\}/g, keep: '$1' },
  {
    name: 'Authorization header',
    pattern:
      /((?:proxy-)?authorization\\*["']?[ \t]*[:=][ \t]*\[?\\*["']?)(?:(?:bearer|basic|digest|negotiate)\s+)?[^\s"'\\\]]+/gi,
    keep: '$1',
  },
  { name: 'Authorization header', pattern: /\b((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{12,}/g, keep: '$1' },
  { name: 'account in a URL', pattern: /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]+@/gi, keep: '$1' },
  { name: 'JSON web token', pattern: /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g },
  { name: 'join command', pattern: /(--(?:certificate-key|token|discovery-token)[= ]+)\S+/g, keep: '$1' },
  { name: 'bootstrap token', pattern: /(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])/g },
  {
    name: 'password hash',
    pattern: /\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|(?:1|5|6|y|7|argon2id?)\$[./A-Za-z0-9$=,]{20,})/g,
  },
  { name: 'access key', pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g },
  {
    name: 'registry login',
    pattern: new RegExp(
      String.raw`((?<![\w-])\\*["']?(?:auth|identitytoken|registrytoken|\.dockerconfigjson)\\*["']?\s*[:=]\s*)${VALUE}`,
      'gi',
    ),
    keep: '$1',
  },
  {
    name: 'variable with a telling name',
    pattern: new RegExp(
      String.raw`(\\*["']?name\\*["']?\s*:\s*\\*["']?[\w.-]*${SENSITIVE}[\w.-]*\\*["']?\s*,?\s*\\*["']?value\\*["']?\s*:\s*)${VALUE}`,
      'gi',
    ),
    keep: '$1',
  },
  {
    name: 'password, token or key',
    pattern: new RegExp(
      String.raw`(${SENSITIVE}(?:[_-]?(?:data|value|hash|b64|base64))?\\*["']?[ \t]*(?::=|[:=])[ \t]*)${VALUE}`,
      'gi',
    ),
    keep: '$1',
  },
  {
    name: 'password, token or key',
    pattern: new RegExp(String.raw`(--?[\w-]{0,40}${SENSITIVE}\s+)(?!-)${VALUE}`, 'gi'),
    keep: '$1',
  },
];

/** Rule → how often it found something. */
export type Redactions = ReadonlyMap<string, number>;

/** `text` without anything that a rule finds, and without every secret that deliver knows of this site. */
export function redactText(text: string): { readonly text: string; readonly found: Redactions } {
  const found = new Map<string, number>();
  const known = redactCounted(text);
  if (known.count > 0) found.set('secret of the site', known.count);
  let clean = known.text;
  for (const { name, pattern, keep = '' } of RULES) {
    if (name === 'data of a Secret' && !SECRET_OBJECT.test(clean)) continue;
    clean = clean.replace(pattern, (all: string, ...groups: unknown[]) => {
      const kept = keep.replace(/\$(\d)/g, (_, index: string) => groupAt(groups, Number(index)));
      if (all.slice(kept.length).replace(/^["'\\]+|["'\\]+$/g, '') === MARK) return all;
      found.set(name, (found.get(name) ?? 0) + 1);
      const quote = /^\\*["']/.exec(all.slice(kept.length))?.[0] ?? '';
      return `${kept}${quote}${MARK}${quote}${name === 'data of a Secret' && all.endsWith('\n') ? '\n' : ''}`;
    });
  }
  return { text: clean, found };
}

/** Every data: of such a text goes, not only that of the Secret: where one object ends is not certain in a log. */
const SECRET_OBJECT = /\bkind\\*["']?\s*:\s*\\*["']?Secret\b/;

function groupAt(groups: readonly unknown[], index: number): string {
  const group = groups[index - 1];
  return typeof group === 'string' ? group : '';
}
