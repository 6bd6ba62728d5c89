/** What a text looked like before is nobody's business: each rule replaces what it finds and says how often. */
export interface Rule {
  /** As REDACTED.txt names it. */
  readonly name: string;
  readonly pattern: RegExp;
  /** `$1` … of the pattern that stay; what was found is `***` when absent. */
  readonly keep?: string;
  /** Only where this is in the text as well. */
  readonly where?: RegExp;
}

/** The value behind a key: quoted (also inside a quoted text), or one word. Objects, lists, empty values and words of YAML stay. */
const VALUE = String.raw`(?!\\*["']?\$\{secret\.)(?:\\+"(?:(?!\\+").)+\\+"|"(?:[^"\\]|\\.)+"|'[^'\n]+'|(?!\\*["'{\[]|(?:null|true|false|<none>|<nil>|\*\*\*)(?![\w-]))[^\s,;&}\]]+)`;
const SENSITIVE = String.raw`(?:password|passwd|passphrase|passwort|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|certificate[_-]?key|credentials?|htpasswd|session[_-]?id|sshpass)`;
const SUFFIX = String.raw`(?:[_-]?(?:data|value|hash|b64|base64|base|(?:file[_-]?)?content))?`;
/** The lines below one that are indented more than group 1, blank ones among them. */
const DEEPER = String.raw`(?:(?:[ \t]*\n)*\1[ \t]+\S.*(?:\n|$))+`;
/** What a sentence on a password goes on with when it does not tell it. */
const NO_PASSWORD = String.raw`(?!(?:incorrect|wrong|required|empty|invalid|not|no|too|expired|missing|set|needed|the|a|an|in|from)\b)`;

/** Every data: of such a text goes, not only that of the Secret: where one object ends is not certain in a log. */
const SECRET_OBJECT = /\bkind\\*["']?\s*:\s*\\*["']?Secret(?:List)?\b/;

const KEYS: readonly Rule[] = [
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
  { name: 'private key', pattern: /\bAGE-SECRET-KEY-1[0-9A-Z]+/g },
  { name: 'client-key-data of a kubeconfig', pattern: /(client-key-data\\*["']?\s*:\s*\\*["']?)[A-Za-z0-9+/=]+/g, keep: '$1' },
];

const SECRETS: readonly Rule[] = [
  { pattern: new RegExp(String.raw`^([ \t]*)((?:data|stringData):)[ \t]*\n${DEEPER}`, 'gm'), keep: '$1$2 ' },
  { pattern: /^([ \t]*(?:data|stringData):[ \t]*)\{[^}]*\}/gm, keep: '$1' },
  { pattern: /("(?:data|stringData)"\s*:\s*)\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}/g, keep: '$1' },
  { pattern: /(\\*"(?:data|stringData)\\*"\s*:\s*)\{[^{}]*\}/g, keep: '$1' },
].map((rule) => ({ ...rule, name: 'data of a Secret', where: SECRET_OBJECT }));

const OTHER_SECRETS: readonly Rule[] = [
  { pattern: /((?:String)?Data:map\[string\](?:string|\[\]byte))\{[^}]*\}/g, keep: '$1', where: /\bSecret\{/ },
  { pattern: new RegExp(String.raw`(\bSecret \\*"[^\n]{0,1000}?Invalid value: )${VALUE}`, 'g'), keep: '$1' },
].map((rule) => ({ ...rule, name: 'data of a Secret' }));

const HEADERS: readonly Rule[] = [
  { name: 'cookie', pattern: /((?:set-)?cookie\\*["']?[ \t]*[:=][ \t]*\[?\\*["']?)[^\n"'\\\]]+/gi, keep: '$1' },
  {
    name: 'Authorization header',
    pattern:
      /((?:proxy-)?authorization\\*["']?[ \t]*[:=][ \t]*\[?\\*["']?)(?:(?:bearer|basic|digest|negotiate)\s+)?[^\s"'\\\]]+/gi,
    keep: '$1',
  },
  { name: 'Authorization header', pattern: /(x-registry-auth\\*["']?[ \t]*[:=][ \t]*\[?\\*["']?)[^\s"'\\\]]+/gi, keep: '$1' },
  { name: 'Authorization header', pattern: /\b((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{12,}/g, keep: '$1' },
  // To the last “@” of the authority: passwords hold them, too.
  { name: 'account in a URL', pattern: /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/"'<>]+@/gi, keep: '$1' },
  { name: 'account in a URL', pattern: /(?<![\w.-])([\w.-]+:)[^\s:@/]+(?=@(?:tcp|unix)\()/g, keep: '$1' },
  {
    name: 'signature in a URL',
    pattern: /([?&](?:x-(?:amz|goog)-(?:signature|credential|security-token)|sig|signature)=)[^&\s"'\\]+/gi,
    keep: '$1',
  },
];

const TOKENS: readonly Rule[] = [
  { name: 'JSON web token', pattern: /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g },
  { name: 'join command', pattern: /(--(?:certificate-key|token|discovery-token)[= ]+)\S+/g, keep: '$1' },
  { name: 'bootstrap token', pattern: /(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])/g },
  {
    name: 'password hash',
    pattern:
      /\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|(?:1|5|6|y|7|apr1|argon2id?)\$[./A-Za-z0-9$=,]{20,})|\{S?SHA\d*\}[A-Za-z0-9+/=]+/g,
  },
  { name: 'access key', pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g },
  {
    name: 'access key',
    pattern:
      /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|(?:github_pat|dckr_pat|npm)_[\w-]{20,}|glpat-[\w-]{8,}|xox[abeprs]-[\w-]{8,}|hv[bs]\.[\w-]{8,})/g,
  },
  {
    name: 'registry login',
    pattern: new RegExp(
      String.raw`((?<![\w-])\\*["']?(?:auth|identitytoken|registrytoken|\.dockerconfigjson)\\*["']?\s*[:=]\s*)${VALUE}`,
      'gi',
    ),
    keep: '$1',
  },
];

const COMMANDS: readonly Rule[] = [
  String.raw`(\bsshpass\s+-p\s*)`,
  String.raw`(\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n]{0,400}?\s-p)(?=\S)`,
  String.raw`(\blogin\b[^\n]{0,400}?\s-p\s+)`,
  String.raw`(\bredis-cli\b[^\n]{0,400}?\s-a\s+)`,
  String.raw`(\s(?:-u|--user|--creds|--(?:src|dest)-creds|--proxy-user)[= ]+(?!\d+:\d+)[^\s:]+:)`,
  String.raw`(--?[\w-]{0,40}${SENSITIVE}\s+)(?!-)`,
  String.raw`(\\*["']--?[\w-]{0,40}${SENSITIVE}\\*["']\s*,\s*)`,
  String.raw`(-[ \t]+["']?--?[\w-]{0,40}${SENSITIVE}["']?[ \t]*\n[ \t]*-[ \t]+)`,
  String.raw`(\bmachine\s+\S+\s+login\s+\S+\s+password\s+)`,
  String.raw`(\bstats\s+auth\s+[^\s:]+:)`,
  String.raw`(\b(?:bindpw|auth_pass|requirepass|masterauth)\s+)`,
].map((before) => ({ name: 'password on a command line', pattern: new RegExp(before + VALUE, 'gi'), keep: '$1' }));

const BY_NAME: readonly Rule[] = [
  {
    name: 'variable with a telling name',
    pattern: new RegExp(String.raw`^([ \t-]*)([\w.-]{0,80}${SENSITIVE}[\w.-]{0,80}:[ \t]*)[|>][+-]?\d?[ \t]*\n${DEEPER}`, 'gim'),
    keep: '$1$2',
  },
  {
    name: 'variable with a telling name',
    pattern: new RegExp(
      String.raw`^([ \t]*)(-[ \t]+name:[ \t]*["']?[\w.-]*${SENSITIVE}[\w.-]*["']?\s*\n[ \t]*value:[ \t]*)[|>][+-]?\d?[ \t]*\n${DEEPER}`,
      'gim',
    ),
    keep: '$1$2',
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
    pattern: /^([ \t]*)([\w.-]*(?:tokens|passwords):)[ \t]*\n(?:\1[ \t]*-[ \t]+(?![\w.-]+:)\S.*(?:\n|$))+/gim,
    keep: '$1$2 ',
  },
  {
    name: 'password, token or key',
    pattern: new RegExp(String.raw`(${SENSITIVE}${SUFFIX}\\*["']?[ \t]*(?::=|[:=])[ \t]*)${VALUE}`, 'gi'),
    keep: '$1',
  },
  {
    name: 'password, token or key',
    pattern: new RegExp(String.raw`((?<![A-Za-z0-9])[A-Z0-9_]{0,80}(?:PASS|PW|_PAT|PSK|_AUTH|SALT)=)${VALUE}`, 'g'),
    keep: '$1',
  },
  {
    name: 'password, token or key',
    pattern: new RegExp(String.raw`((?<![A-Za-z0-9])(?:pass|pw|bindpw|psk)\\*["']?[ \t]*[:=][ \t]*)${VALUE}`, 'gi'),
    keep: '$1',
  },
  {
    name: 'password, token or key',
    pattern: new RegExp(
      String.raw`(\bpass(?:word|phrase|wort)(?:[ \t]+(?:for|of)(?:[ \t]+[\w.@-]+){1,3}?)?(?:[ \t]+is:?|:)[ \t]+)${NO_PASSWORD}${VALUE}`,
      'gi',
    ),
    keep: '$1',
  },
];

/** In the order in which they are tried: what one replaced the next ones leave alone. */
export const RULES: readonly Rule[] = [...KEYS, ...SECRETS, ...OTHER_SECRETS, ...HEADERS, ...TOKENS, ...COMMANDS, ...BY_NAME];
