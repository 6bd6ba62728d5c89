import type { Routes } from './api.ts';
import type { Exchange } from './context.ts';
import { UpstreamDown, forbidden, unauthorized } from './errors.ts';
import { isAuthenticated, isSysadmin, principalName } from './identity.ts';
import { PERMISSIONS } from './permissions.ts';
import { sendJson, sendText } from './reply.ts';
import { discard, forward } from './upstream.ts';

const ALWAYS_HEALTHY = ['core', 'database', 'jobservice', 'portal', 'redis'];

async function registryError(x: Exchange): Promise<string | null> {
  try {
    await discard(await forward(x, { method: 'GET', path: '/v2/' }));
    return null;
  } catch (error) {
    if (!(error instanceof UpstreamDown)) throw error;
    return 'failed to check health: Get "http://registryctl:8080/api/health": dial tcp: connection refused';
  }
}

/** Always 200: whether Harbor is well stands in the body. */
async function health(x: Exchange): Promise<void> {
  const error = await registryError(x);
  const healthy = ALWAYS_HEALTHY.map((name) => ({ name, status: 'healthy' }));
  const registry = ['registry', 'registryctl'].map((name) =>
    error === null ? { name, status: 'healthy' } : { error, name, status: 'unhealthy' },
  );
  const status = error === null ? 'healthy' : 'unhealthy';
  sendJson(x, 200, { components: [...healthy, ...registry], status });
}

function systemInfo(x: Exchange): void {
  const { settings } = x.harbor.state;
  const open = {
    auth_mode: 'db_auth',
    banner_message: '',
    oidc_provider_name: '',
    primary_auth_mode: false,
    self_registration: false,
  };
  if (!isAuthenticated(x.principal)) {
    sendJson(x, 200, open);
    return;
  }
  sendJson(x, 200, {
    ...open,
    current_time: new Date(x.harbor.now()).toISOString(),
    external_url: x.harbor.config.externalUrl,
    harbor_version: x.harbor.config.version,
    has_ca_root: false,
    notification_enable: true,
    project_creation_restriction: settings.projectCreationRestriction,
    read_only: settings.readOnly,
    registry_storage_provider_name: 'filesystem',
    registry_url: new URL(x.harbor.config.externalUrl).host,
  });
}

function statistics(x: Exchange): void {
  if (!isAuthenticated(x.principal)) throw unauthorized();
  const { projects, repositories } = x.harbor.state;
  const publicIds = new Set(projects.filter((p) => p.metadata.public === 'true').map((p) => p.id));
  const publicRepositories = Object.values(repositories).filter((r) => publicIds.has(r.projectId)).length;
  const repositoryCount = Object.keys(repositories).length;
  const sizes = new Map(projects.flatMap((project) => Object.entries(project.blobs)));
  sendJson(x, 200, {
    private_project_count: projects.length - publicIds.size,
    private_repo_count: repositoryCount - publicRepositories,
    public_project_count: publicIds.size,
    public_repo_count: publicRepositories,
    total_project_count: projects.length,
    total_repo_count: repositoryCount,
    total_storage_consumption: [...sizes.values()].reduce((sum, size) => sum + size, 0),
  });
}

function currentUser(x: Exchange): void {
  if (x.principal.kind !== 'user') throw unauthorized();
  sendJson(x, 200, {
    admin_role_in_auth: false,
    sysadmin_flag: x.principal.sysadmin,
    user_id: x.principal.sysadmin ? 1 : 2,
    username: principalName(x.principal),
  });
}

const adminOnly = (x: Exchange): void => {
  if (!isAuthenticated(x.principal)) throw unauthorized();
  if (!isSysadmin(x.principal)) throw forbidden();
};

export const systemRoutes: Routes = {
  'GET /ping': (x) => {
    sendText(x, 200, 'Pong');
  },
  'GET /health': health,
  'GET /systeminfo': systemInfo,
  'GET /systeminfo/volumes': (x) => {
    adminOnly(x);
    sendJson(x, 200, { storage: [{}] });
  },
  'GET /statistics': statistics,
  'GET /users/current': currentUser,
  'GET /permissions': (x) => {
    adminOnly(x);
    sendJson(x, 200, PERMISSIONS);
  },
};
