import type { Bundle } from '../bundle/bundle.ts';
import { bytesText, countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import { isLoopbackHost } from '../core/reference.ts';
import type { Flow, Report } from '../core/report.ts';
import { catalogOf, type Catalog } from '../serve/catalog.ts';
import { endpointOf } from '../serve/endpoint.ts';
import { hostsToml } from '../serve/hosts-toml.ts';
import { parseListenAddress } from '../serve/listen-address.ts';
import type { HttpListener, Served } from '../serve/port.ts';

export interface ServeInput {
  readonly bundlePath: string;
  /** `HOST:PORT` */
  readonly listen: string;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface ServePorts {
  openBundle(path: string): Promise<Bundle>;
  /** One line on who is trusted. @throws DeliverError E_UNSIGNED, E_UNTRUSTED, E_SIGNATURE */
  checkTrust(bundle: Bundle): string;
  readonly http: HttpListener;
}

export interface ServeResult {
  readonly address: string;
  readonly requests: number;
  /** Bytes of the bodies that were sent. */
  readonly bytes: number;
  /** Answers that were broken off, by either side. */
  readonly broken: number;
}

/** What is in flight when the person asks to stop has this long to end. Milliseconds. */
const GRACE = 10_000;

/**
 * `deliver serve`: trust, then answer until somebody asks to stop; that is its good end.
 * @throws DeliverError E_USAGE when `listen` is no address
 */
export function serveFlow(input: ServeInput, ports: ServePorts): Flow<ServeResult> {
  const address = parseListenAddress(input.listen);
  let opened: { readonly bundle: Bundle; readonly catalog: Catalog } | undefined;
  let result: ServeResult | undefined;
  return {
    steps: [
      {
        id: 'trust',
        title: 'Trusted',
        run: async () => {
          const bundle = await ports.openBundle(input.bundlePath);
          try {
            const summary = ports.checkTrust(bundle);
            opened = { bundle, catalog: await catalogOf(bundle) };
            return { summary };
          } catch (error) {
            await bundle.close();
            throw error;
          }
        },
      },
      {
        id: 'serve',
        title: 'Serving',
        run: async (report, signal) => {
          const { bundle, catalog } = needed(opened);
          const tally = { requests: 0, bytes: 0, broken: 0 };
          try {
            const tls = input.tls === undefined ? {} : { tls: input.tls };
            const listening = await ports.http.listen({ ...address, ...tls }, endpointOf(bundle, catalog), (served) => {
              tally.requests += 1;
              tally.bytes += served.bytes;
              tally.broken += served.broken === undefined ? 0 : 1;
              report.note(logLine(served));
            });
            announce(report, listening.url, bundle, catalog);
            await aborted(signal);
            await listening.close(GRACE);
            result = { address: listening.url, ...tally };
            return { summary: `${countText(tally.requests, 'request')}, ${bytesText(tally.bytes)}` };
          } finally {
            await bundle.close();
          }
        },
      },
    ],
    result: () => needed(result),
  };
}

function announce(report: Report, url: string, bundle: Bundle, catalog: Catalog): void {
  const { name, version } = bundle.lock.metadata;
  report.note(`${url} serves ${name} ${version}, ${countText(catalog.repositories.size, 'repository')}; stop it with Ctrl-C`);
  const { hostname, protocol } = new URL(url);
  if (protocol === 'http:' && !isLoopbackHost(hostname))
    report.note('Without --tls-cert and --tls-key, anybody on the way can read and change what is sent.');
  if (catalog.lacking.length > 0) {
    const count = countText(catalog.lacking.length, 'reference');
    report.note(
      `${count} not served: this bundle is a delta, and their base has parts of them (first: ${catalog.lacking[0] ?? ''})`,
    );
  }
  if (catalog.sourceHosts.length === 0) return;
  const { path, lines } = hostsToml(url.replace(/\/\/(?:0\.0\.0\.0|\[::\])/, '//THIS-MACHINE'));
  report.note(`For ${catalog.sourceHosts.join(', ')} on a node, in ${path}:`);
  for (const line of lines) if (line !== '') report.note(line);
}

const MOST_TARGET = 200;

/** `10.0.0.7 GET 200 /v2/docker.io/library/busybox/blobs/sha256:0123456789ab… 3.1 MB` */
function logLine({ client, method, target, status, bytes, broken }: Served): string {
  const path = (target.split('?')[0] ?? '')
    .replace(/^\/v2\//, '')
    .slice(0, MOST_TARGET)
    .replace(/[^\x21-\x7e]/g, '?')
    .replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
  const end = broken === undefined ? '' : `, broken off: ${broken.split('\n')[0] ?? ''}`;
  return `${client} ${method} ${String(status)} ${path} ${bytesText(bytes)}${end}`;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener(
    'abort',
    () => {
      resolve(undefined);
    },
    { once: true },
  );
  await promise;
}

function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new DeliverError('E_BUG', { what: 'The steps of serve ran out of order.' });
  return value;
}
