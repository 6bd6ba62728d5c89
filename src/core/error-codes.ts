/**
 * Every error code that a user can meet, with the class that decides the exit code
 * (design.md, promise 9). Add a code here first; `docs/errors.md` explains each one.
 */
export const ERROR_CLASS = {
  E_USAGE: 'usage',
  E_NOT_YET: 'usage',
  E_NEEDS_CONSENT: 'usage',

  E_FILE_NOT_FOUND: 'input',
  E_FILE_UNREADABLE: 'input',
  E_YAML: 'input',
  E_SCHEMA: 'input',
  E_REFERENCE: 'input',
  E_VARIABLE: 'input',
  E_SECRET_MISSING: 'input',
  E_GRAPH: 'input',
  E_PLATFORM: 'input',
  E_IMAGE_FORMAT: 'input',
  E_CHART: 'input',
  E_NOT_CLOSED: 'input',
  E_LOCK_STALE: 'input',
  E_LOCK_MISSING: 'input',
  E_SIGN_KEY: 'input',
  E_KUBECONFIG: 'input',
  E_OUTPUT: 'input',
  E_DISK_FULL: 'input',

  E_DIGEST: 'integrity',
  E_SIZE: 'integrity',
  E_BUNDLE: 'integrity',
  E_BUNDLE_DAMAGED: 'integrity',
  E_UNSIGNED: 'integrity',
  E_UNTRUSTED: 'integrity',
  E_SIGNATURE: 'integrity',
  E_HOST_KEY: 'integrity',

  E_SOURCE: 'remote',
  E_SOURCE_AUTH: 'remote',
  E_SOURCE_NOT_FOUND: 'remote',
  E_REGISTRY: 'remote',
  E_REGISTRY_AUTH: 'remote',
  E_REGISTRY_QUOTA: 'remote',
  E_REGISTRY_FULL: 'remote',
  E_REGISTRY_IMMUTABLE: 'remote',
  E_REGISTRY_READ_ONLY: 'remote',
  E_HARBOR: 'remote',
  E_SSH: 'remote',
  E_SSH_AUTH: 'remote',
  E_SUDO: 'remote',
  E_HOST: 'remote',
  E_CLUSTER: 'remote',
  E_CLUSTER_AUTH: 'remote',
  E_APPLY: 'remote',
  E_CONFLICT: 'remote',
  E_IMAGE_PULL: 'remote',
  E_NOT_READY: 'remote',

  E_PREFLIGHT: 'preflight',
  E_BUG: 'bug',
  E_INTERRUPTED: 'interrupted',
} as const;

export type ErrorCode = keyof typeof ERROR_CLASS;
export type ErrorClass = (typeof ERROR_CLASS)[ErrorCode];
