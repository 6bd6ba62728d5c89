import type { Access } from './state.ts';

const spread = (table: Record<string, string>): Access[] =>
  Object.entries(table).flatMap(([resource, actions]) => actions.split(' ').map((action) => ({ resource, action })));

/** What a robot may be given [src common/rbac/const.go], as GET /permissions lists it. */
export const PERMISSIONS: { system: Access[]; project: Access[] } = {
  system: spread({
    'audit-log': 'list',
    catalog: 'read',
    'garbage-collection': 'create list read stop update',
    'jobservice-monitor': 'list stop',
    label: 'create delete list read update',
    'ldap-user': 'create list',
    'preheat-instance': 'create delete list read update',
    project: 'create list',
    'purge-audit': 'create list read stop update',
    quota: 'list read update',
    registry: 'create delete list ping read update',
    replication: 'create list read',
    'replication-adapter': 'list',
    'replication-policy': 'create delete list read update',
    robot: 'create delete list read',
    scanner: 'create delete list read update',
    'scan-all': 'create read stop update',
    'security-hub': 'list read',
    'system-volumes': 'read',
    user: 'create delete list read update',
    'user-group': 'create delete list read update',
  }),
  project: spread({
    accessory: 'list',
    artifact: 'create delete list read',
    'artifact-addition': 'read',
    'artifact-label': 'create delete',
    'export-cve': 'create read',
    'immutable-tag': 'create delete list update',
    label: 'create delete list read update',
    log: 'list',
    member: 'create delete list read update',
    metadata: 'create delete list read update',
    'notification-policy': 'create delete list read update',
    'preheat-policy': 'create delete list read update',
    project: 'delete read update',
    quota: 'read',
    repository: 'delete list pull push read update',
    robot: 'create delete list read',
    sbom: 'create read stop',
    scan: 'create read stop',
    scanner: 'create read',
    tag: 'create delete list',
    'tag-retention': 'create delete list operate read update',
  }),
};
