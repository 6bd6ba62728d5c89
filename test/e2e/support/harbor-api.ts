import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { BareSetting } from './bare.ts';
import { commandOnSite } from './deliver.ts';
import { onHost } from './lab.ts';

const Robot = z.object({
  id: z.number(),
  name: z.string(),
  creation_time: z.string(),
  permissions: z.array(
    z.object({ namespace: z.string(), access: z.array(z.object({ resource: z.string(), action: z.string() })) }),
  ),
});
const Rule = z.object({ disabled: z.boolean().optional(), tag_selectors: z.array(z.object({ pattern: z.string() })) });

/** The Harbor that deliver installed on reg1, asked as its administrator from inside the site, by the CA that deliver made. */
export interface InstalledHarbor {
  get(path: string): Promise<unknown>;
  robots(): Promise<readonly z.infer<typeof Robot>[]>;
  projects(): Promise<readonly string[]>;
  /** Rules that make tags of a project immutable. */
  rules(project: string): Promise<readonly z.infer<typeof Rule>[]>;
}

export async function installedHarbor({ lab, folder, planted }: BareSetting): Promise<InstalledHarbor> {
  const ca = path.join(folder, 'site-ca.crt');
  await writeFile(ca, await onHost(lab, 'reg1', 'cat /etc/deliver/registry/ca.crt'));
  const { host, address } = lab.harbor;
  const get = async (from: string): Promise<unknown> => {
    // The password goes by standard input: command lines are looked at.
    const config = [
      `user = "admin:${planted.registry}"`,
      `url = "https://${host}/api/v2.0${from}"`,
      `resolve = "${host}:443:${address}"`,
      `cacert = "${ca}"`,
      'silent\nshow-error\nfail\nmax-time = 30',
    ];
    const answer = await commandOnSite(['curl', '--config', '-'], { stdin: `${config.join('\n')}\n`, timeout: 60_000 });
    if (answer.code !== 0) throw new Error(`Harbor ${from}: ${answer.text}`);
    return JSON.parse(answer.stdout);
  };
  return {
    get,
    robots: async () => z.array(Robot).parse(await get('/robots?page_size=100')),
    projects: async () =>
      z
        .array(z.object({ name: z.string() }))
        .parse(await get('/projects?page_size=100'))
        .map(({ name }) => name),
    rules: async (project) => z.array(Rule).parse(await get(`/projects/${project}/immutabletagrules?page_size=100`)),
  };
}
