/**
 * True when the proxies of the environment say nothing about a URL. It never says so of one that undici would send through a
 * proxy; of some that undici would not (IPv6 in NO_PROXY), it does not say so.
 */
export function isBypassed({ protocol, hostname, port }: URL, env: Readonly<Record<string, string | undefined>>): boolean {
  const http = env['http_proxy'] ?? env['HTTP_PROXY'] ?? '';
  const https = env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '';
  if (http === '' && (https === '' || protocol === 'http:')) return true;
  const name = hostname.replace(/\.$/, '');
  const number = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  const entries = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').toLowerCase().split(/[,\s]+/);
  return entries.some((entry) => {
    const [, wildcard, domain, only] = /^(\*?\.)?([a-z0-9._-]+|\*)(?::(\d+))?$/.exec(entry) ?? [];
    if (domain === undefined || (only !== undefined && only !== number)) return false;
    return domain === '*' || (name === domain && wildcard !== '*.') || name.endsWith(`.${domain}`);
  });
}
