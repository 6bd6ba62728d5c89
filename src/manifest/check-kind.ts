import type { App } from './app-schema.ts';
import type { Problem } from './problem.ts';
import { variablesIn } from './variables.ts';

/** Pods of these carry a hash behind the name, in a label of 63 characters (CronJob: its Jobs' names). */
const LONGEST_NAME = 52;

/** What goes with the kind of an app, and what its kind can't have. */
export function checkKind(app: App): Problem[] {
  const { kind, name } = app;
  const notYet: Problem[] = [
    ...(kind === 'Rollout'
      ? [{ path: ['kind'], message: 'Rollout is not supported yet; write Deployment or StatefulSet', code: 'E_NOT_YET' as const }]
      : []),
    ...(app.hooks === undefined
      ? []
      : [
          {
            path: ['hooks'],
            message: 'hooks are not supported yet; write a Job as an app of its own, and dependsOn:',
            code: 'E_NOT_YET' as const,
          },
        ]),
  ];
  const scalable = kind === 'StatefulSet' || kind === 'Deployment' || kind === 'Rollout';
  const tooLong = (kind === 'StatefulSet' || kind === 'CronJob') && name.length > LONGEST_NAME;
  return [
    ...notYet,
    ...checkSchedule(app),
    ...(app.replicas === undefined || scalable ? [] : [{ path: ['replicas'], message: `a ${kind} has no replicas` }]),
    ...(tooLong ? [{ path: ['name'], message: `must be at most ${LONGEST_NAME} characters: its pods have longer names` }] : []),
    ...checkService(app),
  ];
}

function checkSchedule({ kind, schedule }: App): Problem[] {
  if (kind !== 'CronJob') return schedule === undefined ? [] : [{ path: ['schedule'], message: `a ${kind} has no schedule` }];
  if (schedule === undefined) return [{ path: ['kind'], message: 'a CronJob needs a schedule' }];
  const known = variablesIn(schedule).length === 0 && !schedule.startsWith('@');
  if (!known || schedule.trim().split(/\s+/).length === 5) return [];
  return [{ path: ['schedule'], message: 'must have five fields: minute, hour, day, month, weekday' }];
}

function checkService(app: App): Problem[] {
  const { service, ports = [], kind, name } = app;
  const type = service?.type ?? 'ClusterIP';
  const made = ports.length > 0 && (service !== undefined || (kind !== 'Job' && kind !== 'CronJob'));
  const idle = Object.keys(service?.nodePorts ?? {}).length > 0 && type !== 'NodePort' && type !== 'LoadBalancer';
  return [
    ...(made && /^[0-9]/.test(name) ? [{ path: ['name'], message: 'must begin with a letter: its Service has that name' }] : []),
    ...(idle ? [{ path: ['service', 'nodePorts'], message: `a ${type} service has none; set type: NodePort` }] : []),
  ];
}
