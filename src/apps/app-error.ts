import type { App } from '../manifest/app-schema.ts';
import { DeliverError } from '../core/errors.ts';

/** An app that can't be turned into Kubernetes objects. */
export function appError(app: Pick<App, 'name'>, why: string, fix?: string): DeliverError {
  return new DeliverError('E_SCHEMA', {
    what: `App ${app.name} can't be rendered.`,
    why,
    ...(fix === undefined ? {} : { fix }),
    state: 'Nothing was changed.',
  });
}
