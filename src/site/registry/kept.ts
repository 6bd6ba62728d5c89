import { Secret } from '../../core/secret.ts';
import type { HostConnection } from '../../ssh/port.ts';
import type { KeptCertificates } from './certificate.ts';
import { ACCOUNTS, CA_CERT, CA_KEY, REGISTRY_CONFIG, SERVER_CERT, SERVER_KEY } from './paths.ts';

/** What lies on a registry host from earlier runs, and a new run goes on from. */
export interface KeptRegistry extends KeptCertificates {
  readonly accounts?: string;
  readonly config?: string;
}

/** @throws DeliverError E_SSH*, E_SUDO, E_HOST */
export async function readKept(connection: HostConnection): Promise<KeptRegistry> {
  const read = async (path: string): Promise<string | undefined> => {
    const bytes = await connection.readFile(path);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  };
  const [ca, caKey, certificate, key, accounts, config] = await Promise.all(
    [CA_CERT, CA_KEY, SERVER_CERT, SERVER_KEY, ACCOUNTS, REGISTRY_CONFIG].map(read),
  );
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(caKey === undefined ? {} : { caKey: new Secret(caKey) }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key: new Secret(key) }),
    ...(accounts === undefined ? {} : { accounts }),
    ...(config === undefined ? {} : { config }),
  };
}
