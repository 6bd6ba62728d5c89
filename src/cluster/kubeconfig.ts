import type { RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node';
import { DeliverError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { fieldAt, textAt } from './fields.ts';

/** Where an API server is and how to be let in. */
export interface KubeEndpoint {
  readonly server: URL;
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;
  /** The headers that say who asks; made anew for each request, since tokens expire. */
  headers(): Promise<Record<string, string>>;
}

/**
 * Reads a kubeconfig: one cluster and user, by context.
 * @param folder where relative file names in it start
 * @throws DeliverError E_KUBECONFIG, which never holds a piece of the file
 */
export async function readKubeconfig(
  text: string,
  options: { context?: string | undefined; folder?: string | undefined },
): Promise<KubeEndpoint> {
  const config = await parse(text);
  if (options.folder !== undefined) config.makePathsAbsolute(options.folder);
  if (options.context !== undefined) config.setCurrentContext(options.context);
  const context = config.getContextObject(config.getCurrentContext());
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (context === null) {
    const known = config.getContexts().map(({ name }) => name);
    throw bad(
      `It has no context “${config.getCurrentContext()}”, only: ${known.join(', ')}.`,
      'Set cluster.context in the site file.',
    );
  }
  if (cluster === null) throw bad(`Context ${context.name} names cluster ${context.cluster}, which it does not have.`);
  if (user === null) throw bad(`Context ${context.name} names user ${context.user}, which it does not have.`);
  for (const value of [user.token, user.password, user.keyData]) if (typeof value === 'string') new Secret(value);
  if (!URL.canParse(cluster.server)) throw bad(`“${cluster.server}” is not an address.`);
  const server = new URL(cluster.server);
  if (server.protocol !== 'https:') throw bad(`Its API server is ${cluster.server}; deliver talks to it by https only.`);
  if (cluster.proxyUrl) throw bad('It has a proxy-url.', 'Use cluster.via in the site file: an SSH tunnel.');
  return { server, tls: await tlsOf(config), headers: async () => (await optionsOf(config)).headers };
}

async function parse(text: string): Promise<KubeConfig> {
  // Loaded when it is needed: the library takes half a second, and most verbs never talk to a cluster.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (error) {
    // The parser's own message shows the line, which may be a key.
    const line = fieldAt(error, 'mark', 'line');
    const reason = textAt(error, 'reason');
    if (reason !== undefined) throw bad(`${reason}${typeof line === 'number' ? `, line ${String(line + 1)}` : ''}`);
    throw bad('It is not a kubeconfig: clusters, users and contexts are expected in it.');
  }
  if (config.getClusters().length === 0) throw bad('It has no clusters.');
  return config;
}

async function tlsOf(config: KubeConfig): Promise<KubeEndpoint['tls']> {
  const { ca, cert, key, rejectUnauthorized, servername } = await optionsOf(config);
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined || isIP(servername) !== 0 ? {} : { servername }),
  };
  try {
    createSecureContext(tls);
  } catch {
    throw bad('A certificate or key in it can’t be read.');
  }
  return tls;
}

async function optionsOf(config: KubeConfig): Promise<KubeEndpoint['tls'] & { headers: Record<string, string> }> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch {
    throw bad('A file or program that it names for its certificate, key or token can’t be used.');
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) if (typeof value === 'string') headers[name] = value;
  if (typeof options.auth === 'string') headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return { ...options, headers };
}

function bad(why: string, fix?: string): DeliverError {
  return new DeliverError('E_KUBECONFIG', {
    what: 'The kubeconfig can’t be used.',
    why,
    fix: fix ?? 'Give the site a whole kubeconfig: cluster.kubeconfig, or cluster.from for a host’s admin.conf.',
    state: 'The cluster was not contacted.',
  });
}
