import { z } from 'zod';
import { Secret } from '../core/secret.ts';
import type { RegistryAccount } from '../registry/port.ts';
import { textAt } from './fields.ts';
import type { ClusterApi } from './port.ts';

const ConfigSchema = z.object({ auths: z.record(z.string(), z.object({ username: z.string(), password: z.string() })) });

/**
 * The account in a pull secret that an earlier install wrote, so that it can be kept as long as the registry takes it: a
 * new one each time would change the cluster each time. Undefined when there is none, or it can't be read as one.
 */
export async function readPullAccount(
  api: ClusterApi,
  secret: { readonly name: string; readonly namespace: string },
  signal?: AbortSignal,
): Promise<RegistryAccount | undefined> {
  const object = await api.get({ apiVersion: 'v1', kind: 'Secret', ...secret }, signal);
  const encoded = textAt(object, 'data', '.dockerconfigjson');
  if (encoded === undefined) return undefined;
  try {
    const config = ConfigSchema.parse(JSON.parse(Buffer.from(encoded, 'base64').toString()));
    const account = Object.values(config.auths)[0];
    // Made known to the redaction of everything that is printed.
    return account === undefined ? undefined : { username: account.username, password: new Secret(account.password).reveal() };
  } catch {
    return undefined;
  }
}
