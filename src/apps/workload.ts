import type { KubeObject } from '../cluster/port.ts';
import { DeliverError } from '../core/errors.ts';
import type { App } from '../manifest/app-schema.ts';
import type { AppContext } from './context.ts';
import { metadataOf, whenFilled } from './metadata.ts';
import { renderPodTemplate } from './pod-template.ts';
import { claimTemplates } from './volumes.ts';

/** The object that runs the app's pods. */
export function renderWorkload(app: App, context: AppContext): KubeObject {
  const template = renderPodTemplate(app, context);
  const selector = { matchLabels: { app: app.name } };
  const replicas = app.replicas ?? 1;
  switch (app.kind) {
    case 'StatefulSet':
      return workload(app, context, 'apps/v1', {
        serviceName: app.name,
        replicas,
        selector,
        template,
        ...whenFilled('volumeClaimTemplates', claimTemplates(app)),
      });
    case 'Deployment':
      return workload(app, context, 'apps/v1', { replicas, selector, ...strategy(app), template });
    case 'DaemonSet':
      return workload(app, context, 'apps/v1', { selector, template });
    case 'Job':
      return workload(app, context, 'batch/v1', { template });
    case 'CronJob':
      return workload(app, context, 'batch/v1', { schedule: app.schedule, jobTemplate: { spec: { template } } });
    case 'Rollout':
      throw new DeliverError('E_NOT_YET', {
        what: `App ${app.name} is a Rollout, which deliver can't install yet.`,
        fix: 'Use kind: Deployment or StatefulSet.',
      });
  }
}

function workload(app: App, context: AppContext, apiVersion: string, spec: Record<string, unknown>): KubeObject {
  const { name, namespace, annotations } = app;
  const metadata = metadataOf({ name, namespace, labels: { ...app.labels, app: name }, annotations }, context.release);
  return { apiVersion, kind: app.kind, metadata, spec };
}

/** With one pod per host and as many replicas as hosts, a surge pod finds no host and the rollout would never end. */
function strategy(app: App): Record<string, unknown> {
  if (app.spread !== 'required') return {};
  return { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } };
}
