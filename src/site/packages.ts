const COREUTILS = ['base64', 'cat', 'date', 'df', 'dirname', 'head', 'id', 'ls', 'sha256sum', 'sort', 'stat', 'tr', 'uname'];

/** Packages of distributions that are not named as the program in them. */
const PACKAGE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(COREUTILS.map((name) => [name, 'coreutils'])),
  awk: 'gawk or mawk',
  find: 'findutils',
  flock: 'util-linux',
  ip: 'iproute2 or iproute',
  mount: 'util-linux',
  nsenter: 'util-linux',
};

/** What to do about all the programs that a host lacks, in one line. */
export function installText(host: string, missing: readonly string[]): string {
  const packages = [...new Set(missing.map((name) => PACKAGE[name] ?? name))];
  const noun = packages.length === 1 ? 'package' : 'packages';
  return `Install ${missing.join(', ')} on ${host} from its distribution’s media (${noun} ${packages.join(', ')}).`;
}
