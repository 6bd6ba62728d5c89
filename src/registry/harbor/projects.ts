import { z } from 'zod';
import type { HarborClient } from './client.ts';

const Project = z.object({
  project_id: z.number(),
  metadata: z.object({ public: z.string().optional() }).nullish(),
});
const Quotas = z.array(z.object({ id: z.number(), hard: z.object({ storage: z.number().optional() }) }));

export type FoundProject = z.infer<typeof Project>;

/** Makes a project, or sets the quota and the openness of one that is there; what is not given stays as it is. */
export async function keepProject(
  client: HarborClient,
  name: string,
  wanted: { readonly quota?: number; readonly public?: boolean },
): Promise<boolean> {
  const doing = `make project ${name}`;
  const found = await findProject(client, name);
  if (found === undefined) {
    const json = {
      project_name: name,
      metadata: { public: String(wanted.public ?? false) },
      ...(wanted.quota === undefined ? {} : { storage_limit: wanted.quota }),
    };
    const answer = await client.call({ method: 'POST', path: '/projects', json, accept: [201, 409], doing });
    if (answer.status === 201) return true;
    // Somebody else made it in between: then it may lack what is wanted.
    return keepProject(client, name, wanted);
  }
  const opened = await keepPublic(client, name, found, wanted.public);
  const limited = await keepQuota(client, name, found, wanted.quota);
  return opened || limited;
}

/** Undefined when there is none of that name. */
export async function findProject(client: HarborClient, name: string): Promise<FoundProject | undefined> {
  const doing = `read project ${name}`;
  // 403: Harbor does not tell a project that is not there from one that may not be read.
  const path = `/projects/${encodeURIComponent(name)}`;
  const answer = await client.call({ method: 'GET', path, accept: [200, 403, 404], doing });
  return answer.status === 200 ? client.parsed(Project, answer.body, doing) : undefined;
}

async function keepPublic(
  client: HarborClient,
  name: string,
  found: FoundProject,
  wanted: boolean | undefined,
): Promise<boolean> {
  if (wanted === undefined || (found.metadata?.public === 'true') === wanted) return false;
  const path = `/projects/${encodeURIComponent(name)}`;
  const json = { metadata: { public: String(wanted) } };
  await client.call({ method: 'PUT', path, json, accept: [200], doing: `set who may pull from ${name}` });
  return true;
}

async function keepQuota(client: HarborClient, name: string, found: FoundProject, wanted: number | undefined): Promise<boolean> {
  if (wanted === undefined) return false;
  const doing = `set the quota of ${name}`;
  const query = new URLSearchParams({ reference: 'project', reference_id: String(found.project_id) });
  const [quota] = await client.list(`/quotas?${query.toString()}`, Quotas, doing);
  // A Harbor whose quotas are turned off has none.
  if (quota === undefined || (quota.hard.storage ?? -1) === wanted) return false;
  await client.call({
    method: 'PUT',
    path: `/quotas/${String(quota.id)}`,
    json: { hard: { storage: wanted } },
    accept: [200],
    doing,
  });
  return true;
}
