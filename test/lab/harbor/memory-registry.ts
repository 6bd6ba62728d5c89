import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openGate } from './memory/auth.ts';
import type { RegistryAuth } from './memory/auth.ts';
import { folderStore, memoryStore } from './memory/blobs.ts';
import { answerJson, refuse } from './memory/call.ts';
import type { Call, Flavour } from './memory/call.ts';
import { openContent } from './memory/content.ts';
import type { Content } from './memory/content.ts';
import { openFaults } from './memory/faults.ts';
import type { Faults } from './memory/faults.ts';
import { handleManifest, sendReferrers } from './memory/manifests.ts';
import { serveBlob } from './memory/serve-blobs.ts';
import { openUploads } from './memory/uploads.ts';

export interface MemoryRegistryOptions {
  auth?: RegistryAuth;
  /** PEM text, not paths. */
  tls?: { cert: string; key: string };
  /** Blobs go to files below this folder instead of memory. */
  folder?: string;
  /** Default 'spec'. Use 'distribution' behind the Harbor front. */
  flavour?: Flavour;
  /** Locations without scheme and host. */
  relativeLocations?: boolean;
  port?: number;
}

export interface RegistryRequest {
  method: string;
  path: string;
  query: string;
  /** 0 while it runs, or when the connection broke before an answer. */
  status: number;
}

export interface MemoryRegistry {
  url: string;
  /** As it stands in a reference: `127.0.0.1:5000`. */
  host: string;
  requests: RegistryRequest[];
  content: Content;
  faults: Faults;
  close(): Promise<void>;
}

const ROUTE = /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|referrers|tags)\/([^/]*)$/;

function page(call: Call, names: string[]): { shown: string[]; link: Record<string, string> } {
  const last = call.query.get('last') ?? '';
  const rest = names.sort().filter((name) => name > last);
  const shown = rest.slice(0, Number(call.query.get('n') ?? rest.length));
  const more = shown.length < rest.length;
  const path = (call.req.url ?? '').split('?')[0] ?? '';
  const next = `<${path}?last=${encodeURIComponent(shown.at(-1) ?? '')}&n=${String(shown.length)}>; rel="next"`;
  return { shown, link: more ? { Link: next } : {} };
}

function sendTags(call: Call, name: string): void {
  const tags = call.content.repositories.get(name)?.tags;
  if (tags === undefined) {
    refuse(call, 404, 'NAME_UNKNOWN', 'repository name not known to registry', { detail: { name } });
    return;
  }
  const { shown, link } = page(call, [...tags.keys()]);
  answerJson(call, 200, { name, tags: shown }, link);
}

/** A small OCI registry that keeps everything in memory or a temporary folder: a fast double where no real one is to be had. */
export async function startMemoryRegistry(options: MemoryRegistryOptions = {}): Promise<MemoryRegistry> {
  const store = options.folder === undefined ? memoryStore() : folderStore(options.folder);
  const content = openContent(store);
  const faults = openFaults();
  const gate = openGate(options.auth ?? null);
  const uploads = openUploads();
  const requests: RegistryRequest[] = [];
  const flavour = options.flavour ?? 'spec';

  const handle = async (req: IncomingMessage, res: ServerResponse, path: string, query: URLSearchParams): Promise<void> => {
    const scheme = options.tls === undefined ? 'http' : 'https';
    const origin = `${scheme}://${req.headers.host ?? ''}`;
    const method = req.method ?? 'GET';
    const locate = (location: string): string => (options.relativeLocations ? location : origin + location);
    const call: Call = { req, res, method, query, content, store, flavour, locate };
    if (path === '/token') {
      gate.issue(req, res, query);
      return;
    }
    const [, name = '', kind = '', reference = ''] = ROUTE.exec(path) ?? [];
    const action = method === 'GET' || method === 'HEAD' ? 'pull' : method === 'DELETE' ? 'delete' : 'pull,push';
    if (!gate.admit(req, res, name === '' ? '' : `repository:${name}:${action}`, origin)) return;
    res.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    if (path === '/v2/') answerJson(call, 200, {});
    else if (path === '/v2/_catalog') {
      const { shown, link } = page(call, [...content.repositories.keys()]);
      answerJson(call, 200, { repositories: shown }, link);
    } else if (kind === 'manifests') await handleManifest(call, name, reference);
    else if (kind === 'blobs') await serveBlob(call, name, reference);
    else if (kind === 'blobs/uploads') await uploads.handle(call, name, reference);
    else if (kind === 'tags' && reference === 'list') sendTags(call, name);
    else if (kind === 'referrers' && flavour === 'spec') sendReferrers(call, name, reference);
    else refuse(call, 404, 'UNSUPPORTED', '404 page not found');
  };

  const listener = (req: IncomingMessage, res: ServerResponse): void => {
    const [path = '', query = ''] = (req.url ?? '').split('?', 2);
    const entry: RegistryRequest = { method: req.method ?? '', path, query, status: 0 };
    requests.push(entry);
    res.once('finish', () => {
      entry.status = res.statusCode;
    });
    faults
      .play(req, res)
      .then((done) => (done ? undefined : handle(req, res, decodeURIComponent(path), new URLSearchParams(query))))
      .catch((error: unknown) => {
        if (res.headersSent || req.socket.destroyed) res.destroy();
        else refuse({ res }, 500, 'UNKNOWN', String(error));
      });
  };
  const server = options.tls === undefined ? createHttp(listener) : createHttps(options.tls, listener);
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}`,
    host,
    requests,
    content,
    faults,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.resolve();
      store.close();
    },
  };
}
