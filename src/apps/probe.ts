import type { App, AppProbe } from '../manifest/app-schema.ts';
import { appError } from './app-error.ts';

/** core/v1 Probe; the port is the app's first one when the release names none. @throws DeliverError E_SCHEMA */
export function renderProbe(app: App, probe: AppProbe): Record<string, unknown> {
  const { http, tcp: _tcp, exec, port: _port, ...timing } = probe;
  if (exec !== undefined) return { exec: { command: exec }, ...timing };
  const port = probe.port ?? app.ports?.[0]?.name;
  if (port === undefined) throw appError(app, 'A probe needs a port, and the app has none.', 'Add ports: or use exec.');
  if (typeof port === 'string' && !(app.ports ?? []).some((known) => known.name === port)) {
    throw appError(app, `A probe asks port ${port}, which the app does not have.`);
  }
  return http === undefined ? { tcpSocket: { port }, ...timing } : { httpGet: { path: http, port }, ...timing };
}

/** All probes of the main container. */
export function renderProbes(app: App): Record<string, unknown> {
  const { readiness, liveness, startup } = app.probes ?? {};
  return {
    ...(startup === undefined ? {} : { startupProbe: renderProbe(app, startup) }),
    ...(readiness === undefined ? {} : { readinessProbe: renderProbe(app, readiness) }),
    ...(liveness === undefined ? {} : { livenessProbe: renderProbe(app, liveness) }),
  };
}
