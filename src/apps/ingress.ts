import { listAt, textAt } from '../cluster/fields.ts';
import type { KubeObject } from '../cluster/port.ts';
import type { App, AppIngress } from '../manifest/app-schema.ts';
import { appError } from './app-error.ts';
import type { AppContext, IngressContext } from './context.ts';
import { metadataOf, whenFilled } from './metadata.ts';
import { nipHost } from './nip.ts';

const DEFAULT_DOMAIN = 'nip.io';

/** One host and path of an app, with the entry of the release that asked for it. */
interface Route {
  readonly host: string;
  readonly path: string;
  readonly entry: AppIngress;
}

/**
 * Every host and path under which the app answers, in the release's order. An entry whose host is the site's wildcard
 * domain stands for one host per ingress address.
 * @throws DeliverError E_SCHEMA
 */
export function routesOf(app: App, ingress: IngressContext): Route[] {
  const domain = ingress.domain ?? DEFAULT_DOMAIN;
  const routes = (app.ingress ?? []).flatMap((entry): Route[] => {
    const path = entry.path ?? '/';
    // A release says nip.io without knowing the site; a site with a wildcard domain of its own means that one.
    if (entry.host !== domain && entry.host !== DEFAULT_DOMAIN) return [{ host: entry.host, path, entry }];
    if (ingress.addresses.length === 0) {
      throw appError(
        app,
        `Its ingress is for ${domain}, and the site has no ingress addresses.`,
        'Add ingress.addresses to the site file.',
      );
    }
    return ingress.addresses.map((address) => ({ host: nipHost(app, address, domain), path, entry }));
  });
  const seen = new Set<string>();
  for (const { host, path } of routes) {
    if (seen.has(host + path))
      throw appError(app, `Its ingress has ${host}${path} twice.`, 'Give one of them another host or path.');
    seen.add(host + path);
  }
  return routes;
}

/** One Ingress with all rules of the app, undefined when it has none. @throws DeliverError E_SCHEMA */
export function renderIngress(app: App, context: AppContext): KubeObject | undefined {
  const routes = routesOf(app, context.ingress);
  if (routes.length === 0) return undefined;
  const hosts = [...new Set(routes.map((route) => route.host))];
  const secrets = [...new Set(routes.flatMap((route) => route.entry.tls ?? []))];
  const className = context.ingress.class;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadataOf({ name: app.name, namespace: app.namespace, annotations: annotationsOf(app) }, context.release),
    spec: {
      ...(className === undefined ? {} : { ingressClassName: className }),
      ...whenFilled(
        'tls',
        secrets.map((secretName) => ({
          hosts: hosts.filter((host) => routes.some((route) => route.host === host && route.entry.tls === secretName)),
          secretName,
        })),
      ),
      rules: hosts.map((host) => ({
        host,
        http: { paths: routes.filter((route) => route.host === host).map((route) => pathOf(app, route)) },
      })),
    },
  };
}

/** `http://gatekeeper.project.10.86.67.11.nip.io`: where people reach the app, `https` where it has a certificate. */
export function urlsOf(app: App, context: { readonly ingress: IngressContext }): string[] {
  return routesOf(app, context.ingress).map(
    ({ host, path, entry }) => `${entry.tls === undefined ? 'http' : 'https'}://${host}${path === '/' ? '' : path}`,
  );
}

/** Where an Ingress of a manifest answers; a rule for every host has no address of its own. */
export function ingressUrls(object: KubeObject): string[] {
  if (object.kind !== 'Ingress') return [];
  const secure = new Set(listAt(object, 'spec', 'tls').flatMap((entry) => listAt(entry, 'hosts')));
  return listAt(object, 'spec', 'rules').flatMap((rule) => {
    const host = textAt(rule, 'host');
    if (host === undefined || host.startsWith('*')) return [];
    const paths = listAt(rule, 'http', 'paths').map((path) => textAt(path, 'path') ?? '/');
    return (paths.length === 0 ? ['/'] : paths).map(
      (path) => `${secure.has(host) ? 'https' : 'http'}://${host}${path === '/' ? '' : path}`,
    );
  });
}

function pathOf(app: App, { path, entry }: Route): Record<string, unknown> {
  const { port, pathType = 'ImplementationSpecific' } = entry;
  if (!(app.ports ?? []).some((known) => known.port === port || known.name === port)) {
    throw appError(app, `Its ingress leads to port ${String(port)}, which the app does not have.`);
  }
  const servicePort = typeof port === 'number' ? { number: port } : { name: port };
  return { path, pathType, backend: { service: { name: app.name, port: servicePort } } };
}

/** The annotations of all entries: they belong to the whole Ingress, so two entries must not disagree. */
function annotationsOf(app: App): Record<string, string> {
  const all: Record<string, string> = {};
  for (const entry of app.ingress ?? []) {
    for (const [key, value] of Object.entries(entry.annotations ?? {})) {
      if ((all[key] ?? value) !== value)
        throw appError(app, `Two of its ingress entries give annotation ${key} different values.`);
      all[key] = value;
    }
  }
  return all;
}
