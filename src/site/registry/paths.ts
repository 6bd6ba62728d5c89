/** Where deliver keeps what belongs to a registry that it installed. Keys, passwords and the configuration are for root alone. */
export const REGISTRY_FOLDER = '/etc/deliver/registry';
export const CA_CERT = `${REGISTRY_FOLDER}/ca.crt`;
export const CA_KEY = `${REGISTRY_FOLDER}/ca.key`;
export const SERVER_CERT = `${REGISTRY_FOLDER}/server.crt`;
export const SERVER_KEY = `${REGISTRY_FOLDER}/server.key`;
export const ACCOUNTS = `${REGISTRY_FOLDER}/htpasswd`;
export const REGISTRY_CONFIG = `${REGISTRY_FOLDER}/config.yml`;

export const REGISTRY_UNIT = 'deliver-registry.service';
export const HARBOR_UNIT = 'deliver-harbor.service';
export const UNIT_FOLDER = '/etc/systemd/system';

/** One folder per version, each with a folder `harbor` in it: compose names its project by that last part. */
export const HARBOR_FOLDER = '/var/lib/deliver/harbor';
/** A link to the folder of the version that runs. */
export const HARBOR_CURRENT = `${HARBOR_FOLDER}/current`;
