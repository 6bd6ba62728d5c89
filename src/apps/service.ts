import type { KubeObject } from '../cluster/port.ts';
import type { App } from '../manifest/app-schema.ts';
import { appError } from './app-error.ts';
import { metadataOf } from './metadata.ts';

/** The app's Service, undefined when it has no ports, or runs to an end and does not ask for one. */
export function renderService(app: App, release: string): KubeObject | undefined {
  const ports = app.ports ?? [];
  const runsToEnd = app.kind === 'Job' || app.kind === 'CronJob';
  if (ports.length === 0 || (runsToEnd && app.service === undefined)) return undefined;
  const type = app.service?.type ?? 'ClusterIP';
  const nodePorts = app.service?.nodePorts ?? {};
  const unknown = Object.keys(nodePorts).find((name) => !ports.some((port) => port.name === name));
  if (unknown !== undefined) throw appError(app, `service.nodePorts names port ${unknown}, which the app does not have.`);
  if (Object.keys(nodePorts).length > 0 && type !== 'NodePort' && type !== 'LoadBalancer') {
    throw appError(app, `service.nodePorts has no meaning for a ${type} service.`, 'Set service.type: NodePort');
  }
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf({ name: app.name, namespace: app.namespace, labels: { app: app.name } }, release),
    spec: {
      type: type === 'Headless' ? 'ClusterIP' : type,
      ...(type === 'Headless' ? { clusterIP: 'None' } : {}),
      ports: ports.map(({ name, port, protocol }) => ({
        name,
        protocol: protocol ?? 'TCP',
        port,
        targetPort: port,
        ...(nodePorts[name] === undefined ? {} : { nodePort: nodePorts[name] }),
      })),
      selector: { app: app.name },
    },
  };
}
