import { demand } from './access.ts';
import type { Exchange } from './context.ts';
import { notFound, unauthorized } from './errors.ts';
import { isAuthenticated } from './identity.ts';
import type { Project } from './state.ts';
import { projectNamed, projectWithId } from './state.ts';

/** A name of digits only is read as an id, unless the header says otherwise. */
function lookUp(x: Exchange, nameOrId: string): Project | undefined {
  const isName = x.req.headers['x-is-resource-name'] === 'true' || !/^\d+$/.test(nameOrId);
  return isName ? projectNamed(x.harbor.state, nameOrId) : projectWithId(x.harbor.state, Number(nameOrId));
}

/** The project, if the caller has that right on it. An anonymous caller can't tell missing from private. */
export function projectFor(x: Exchange, nameOrId: string, resource: string, action: string): Project {
  const project = lookUp(x, nameOrId);
  if (project === undefined) {
    throw isAuthenticated(x.principal) ? notFound(`project ${nameOrId} not found`) : unauthorized();
  }
  demand(x, resource, action, project);
  return project;
}

/** For the paths that take a project name only. */
export function projectByName(x: Exchange, name: string, resource: string, action: string): Project {
  const project = projectNamed(x.harbor.state, name);
  if (project === undefined) {
    throw isAuthenticated(x.principal) ? notFound(`project ${name} not found`) : unauthorized();
  }
  demand(x, resource, action, project);
  return project;
}
