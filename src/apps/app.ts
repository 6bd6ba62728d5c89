import type { KubeObject } from '../cluster/port.ts';
import type { App } from '../manifest/app-schema.ts';
import { renderSecrets, secretsOf } from './app-secrets.ts';
import { checkApp } from './check-app.ts';
import type { AppContext } from './context.ts';
import { filesOf, renderFiles } from './files.ts';
import { fillOutputs } from './fill.ts';
import { renderIngress } from './ingress.ts';
import { renderService } from './service.ts';
import { renderClaims } from './volumes.ts';
import { renderWorkload } from './workload.ts';

/**
 * The Kubernetes objects of an app, in the order in which they are applied. The app arrives with `${versions.…}` and
 * `${site.…}` filled in; `${outputs.…}` and `${secret.…}` are filled in here. The same input gives the same objects.
 * @throws DeliverError E_SCHEMA, E_VARIABLE, E_SECRET_MISSING, E_NOT_YET
 */
export function renderApp(unfilled: App, context: AppContext): KubeObject[] {
  const app = fillOutputs(unfilled, context);
  checkApp(app);
  const files = filesOf(app, context);
  const secrets = secretsOf(app, context);
  const service = renderService(app, context.release);
  const ingress = renderIngress(app, context);
  return [
    ...(files.length === 0 ? [] : [renderFiles(app, files, context)]),
    ...(Object.keys(secrets).length === 0 ? [] : [renderSecrets(app, secrets, context)]),
    ...renderClaims(app, context.release),
    ...(service === undefined ? [] : [service]),
    renderWorkload(app, context),
    ...(ingress === undefined ? [] : [ingress]),
  ];
}
