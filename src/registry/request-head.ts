/**
 * The head of a GET as it goes on the wire.
 * @throws TypeError for a header that would be read as another one
 */
export function requestHead(url: URL, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}`);
  const text = [`GET ${url.pathname}${url.search} HTTP/1.1`, ...lines];
  if (text.some((line) => /[^\t\x20-\x7e\x80-\xff]/.test(line))) throw new TypeError('a header holds what no header may hold');
  return `${text.join('\r\n')}\r\n\r\n`;
}
