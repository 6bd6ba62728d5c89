/**
 * Lines for a hosts file, `10.86.67.11  gatekeeper.project.10.86.67.11.nip.io`, where no name server answers the names.
 * A name that holds an ingress address leads there, any other to the first one.
 */
export function hostsFileLines(urls: readonly string[], addresses: readonly string[]): string[] {
  const hosts = [...new Set(urls.map((url) => new URL(url).hostname))];
  return hosts.flatMap((host) => {
    const address = addresses.find((known) => host.includes(`.${known}.`)) ?? addresses[0];
    return address === undefined ? [] : [`${address}  ${host}`];
  });
}
