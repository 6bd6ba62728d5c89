/** Where the apps of a release answer, and how a laptop without the site's name server finds them. */
export function addressLines({
  urls,
  hostsFile,
}: {
  readonly urls: readonly string[];
  readonly hostsFile: readonly string[];
}): string[] {
  if (urls.length === 0) return [];
  return [
    '',
    ...urls.map((url) => `    ${url}`),
    ...(hostsFile.length === 0
      ? []
      : ['  On a laptop without that name server, add to its hosts file:', ...hostsFile.map((line) => `    ${line}`)]),
  ];
}
