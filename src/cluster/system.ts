/** Namespace of what deliver itself keeps in the cluster. */
export const SYSTEM_NAMESPACE = 'deliver-system';
/** Label that finds every object of a release. */
export const RELEASE_LABEL = 'deliver-release';
/** On every object that deliver writes. */
export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'deliver' } as const;
