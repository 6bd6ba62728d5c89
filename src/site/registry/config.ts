import { stringify } from 'yaml';
import { ACCOUNTS, REGISTRY_CONFIG, SERVER_CERT, SERVER_KEY } from './paths.ts';
import type { RegistrySettings } from './settings.ts';

const MARK = '# Written by deliver: changes are overwritten by the next install.\n';
const REGISTRY_PROGRAM = '/usr/local/bin/registry';

/**
 * config.yml of the CNCF distribution registry (3.0).
 * @param secret signs upload sessions: they outlive a restart when it stays the same
 */
export function registryConfig({ port, dataVolume, hostname }: RegistrySettings, secret: string): string {
  return (
    MARK +
    stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: dataVolume },
        // Nothing is deleted behind the back of a release that needs it; unfinished uploads are, after a week.
        delete: { enabled: false },
        maintenance: { uploadpurging: { enabled: true, age: '168h', interval: '24h', dryrun: false } },
        cache: { blobdescriptor: 'inmemory' },
      },
      auth: { htpasswd: { realm: hostname, path: ACCOUNTS } },
      http: {
        addr: `:${String(port)}`,
        secret,
        tls: { certificate: SERVER_CERT, key: SERVER_KEY, minimumtls: 'tls1.2' },
        headers: { 'X-Content-Type-Options': ['nosniff'] },
      },
    })
  );
}

/** The secret of an earlier config.yml. */
export function secretOf(config: string | undefined): string | undefined {
  return /^ {2}secret: ([0-9a-f]{64})$/m.exec(config ?? '')?.[1];
}

/** Its systemd unit. It reads keys that only root may read, and may write nothing but its data. */
export function registryUnit({ dataVolume }: RegistrySettings): string {
  return `${MARK}[Unit]
Description=Container registry (CNCF distribution)
After=network-online.target local-fs.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
# Without it the registry looks for a collector of traces on this host.
Environment=OTEL_TRACES_EXPORTER=none
ExecStartPre=/bin/mkdir -p -m 0700 ${dataVolume}
ExecStart=${REGISTRY_PROGRAM} serve ${REGISTRY_CONFIG}
Restart=always
RestartSec=2
LimitNOFILE=65536
NoNewPrivileges=yes
PrivateTmp=yes
ProtectHome=yes

[Install]
WantedBy=multi-user.target
`;
}
