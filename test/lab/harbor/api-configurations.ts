import type { Routes } from './api.ts';
import type { Exchange } from './context.ts';
import { badRequest, forbidden, unauthorized } from './errors.ts';
import { isAuthenticated, isSysadmin } from './identity.ts';
import { sendEmpty, sendJson } from './reply.ts';

interface Wanted {
  read_only?: boolean | null;
  token_expiration?: number | null;
  robot_name_prefix?: string | null;
  project_creation_restriction?: string | null;
  storage_per_project?: number | null;
}

function adminOnly(x: Exchange): void {
  if (!isAuthenticated(x.principal)) throw unauthorized();
  if (!isSysadmin(x.principal)) throw forbidden();
}

/** Only these five settings exist here; the others of a request are ignored. */
export const configurationRoutes: Routes = {
  'GET /configurations': (x) => {
    adminOnly(x);
    const { settings } = x.harbor.state;
    const item = (value: unknown): object => ({ editable: true, value });
    sendJson(x, 200, {
      project_creation_restriction: item(settings.projectCreationRestriction),
      read_only: item(settings.readOnly),
      robot_name_prefix: item(settings.robotNamePrefix),
      storage_per_project: item(settings.storagePerProject),
      token_expiration: item(settings.tokenExpirationMinutes),
    });
  },
  'PUT /configurations': async (x, _params, body) => {
    adminOnly(x);
    const wanted = (body ?? {}) as Wanted;
    const { settings } = x.harbor.state;
    const restriction = wanted.project_creation_restriction ?? settings.projectCreationRestriction;
    if (restriction !== 'everyone' && restriction !== 'adminonly') throw badRequest('invalid project_creation_restriction');
    settings.projectCreationRestriction = restriction;
    settings.readOnly = wanted.read_only ?? settings.readOnly;
    settings.robotNamePrefix = wanted.robot_name_prefix ?? settings.robotNamePrefix;
    settings.storagePerProject = wanted.storage_per_project ?? settings.storagePerProject;
    settings.tokenExpirationMinutes = wanted.token_expiration ?? settings.tokenExpirationMinutes;
    await x.harbor.store.commit();
    sendEmpty(x, 200);
  },
};
