import type { Bundle } from '../bundle/bundle.ts';
import { DeliverError } from '../core/errors.ts';
import { inParallel } from '../core/in-parallel.ts';
import { catalogOf } from '../serve/catalog.ts';
import { endpointOf } from '../serve/endpoint.ts';
import { hostsToml } from '../serve/hosts-toml.ts';
import type { HttpListener } from '../serve/port.ts';
import { MIRROR_MARK } from '../site/mirror-files.ts';
import type { HostConnection, HostConnector, HostListener } from '../ssh/port.ts';
import { shellQuote } from '../ssh/shell-quote.ts';

const AT_ONCE = 8;
/** What is in flight at the end has this long. Milliseconds. */
const GRACE = 5000;
const LOOPBACK = '127.0.0.1';

export interface NodeServing {
  readonly bundle: Bundle;
  readonly http: HttpListener;
  readonly hosts: HostConnector;
  readonly nodes: readonly string[];
}

/**
 * While `work` runs, the nodes' containerd pulls from the bundle itself, through a tunnel of each node's SSH connection: for
 * a site whose registry comes with its cluster. What was written on the nodes for it is taken out again.
 * @throws DeliverError E_SSH*, E_HOST, E_LISTEN; what `work` throws
 */
export async function serveToNodes<T>(
  { bundle, http, hosts, nodes }: NodeServing,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const listening = await http.listen({ host: LOOPBACK, port: 0 }, endpointOf(bundle, await catalogOf(bundle)), () => undefined);
  const tunnels: { readonly connection: HostConnection; readonly listener: HostListener }[] = [];
  try {
    const port = Number(new URL(listening.url).port);
    await inParallel(nodes, AT_ONCE, signal, async (node, stop) => {
      const connection = await hosts.connect(node, stop);
      const listener = await connection.listen({ address: LOOPBACK, port });
      tunnels.push({ connection, listener });
      await pointAt(connection, listener.port);
    });
    return await work();
  } finally {
    await Promise.allSettled(
      tunnels.map(async ({ connection, listener }) => {
        await takeOut(connection);
        await listener.close();
      }),
    );
    await listening.close(GRACE);
  }
}

async function pointAt(connection: HostConnection, port: number): Promise<void> {
  const { path, lines } = hostsToml(`http://${LOOPBACK}:${String(port)}`);
  const found = await connection.readFile(path);
  if (found !== undefined && !Buffer.from(found).toString('utf8').startsWith(MIRROR_MARK)) {
    throw new DeliverError('E_HOST', {
      what: `${path} on ${connection.host.name} is not deliver’s.`,
      why: 'the images of the bundle would be asked for there first',
      fix: `Move it aside on ${connection.host.name} while the site is installed.`,
      state: 'Nothing was changed on that host.',
    });
  }
  await connection.writeFile(path, [MIRROR_MARK, ...lines, ''].join('\n'));
}

/** Also after an interruption: a port that leads nowhere would cost every later pull a refused connection. */
async function takeOut(connection: HostConnection): Promise<void> {
  const { path } = hostsToml(`http://${LOOPBACK}`);
  const script = `f=${shellQuote(path)}; IFS= read -r l <"$f" 2>/dev/null && [ "$l" = ${shellQuote(MIRROR_MARK)} ] && rm -f "$f" && rmdir "$(dirname "$f")"; :`;
  await connection.run(script, { sudo: true, timeout: 20_000 });
}
