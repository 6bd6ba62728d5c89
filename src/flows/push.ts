import type { Bundle } from '../bundle/bundle.ts';
import { countText } from '../core/amounts.ts';
import { DeliverError } from '../core/errors.ts';
import type { Flow } from '../core/report.ts';
import type { HarborApi, RegistryWriter } from '../registry/port.ts';
import { planPush } from '../registry/push-plan.ts';
import type { PushResult } from '../registry/push-content.ts';
import type { SiteNaming } from '../registry/site-repository.ts';
import { pushStep } from './install/push-step.ts';

export interface PushRequest {
  readonly bundlePath: string;
  /** `HOST` or `HOST/PROJECT`. */
  readonly to: string;
}

/** A registry that push was let into. */
export interface PushRegistry {
  readonly writer: RegistryWriter;
  readonly harbor?: HarborApi;
  /** Harbor's version. */
  readonly version?: string;
  close(): Promise<void>;
}

export interface PushPorts {
  openBundle(path: string): Promise<Bundle>;
  /** One line on who is trusted. @throws DeliverError E_UNSIGNED, E_UNTRUSTED, E_SIGNATURE */
  checkTrust(bundle: Bundle): string;
  /** @throws DeliverError E_REGISTRY*, E_HARBOR */
  openRegistry(host: string): Promise<PushRegistry>;
}

/** `deliver push`: trust, look at the registry, send what it lacks. */
export function pushFlow(request: PushRequest, ports: PushPorts): Flow<PushResult> {
  const naming = parseTarget(request.to);
  let bundle: Bundle | undefined;
  let registry: PushRegistry | undefined;
  let result: PushResult | undefined;
  const closeAll = async (): Promise<void> => {
    await Promise.all([bundle?.close(), registry?.close()]);
  };
  const orClose = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      await closeAll();
      throw error;
    }
  };
  const push = pushStep(
    () => {
      if (bundle === undefined || registry === undefined) throw outOfOrder();
      const { writer, harbor } = registry;
      return { bundle, plan: planPush(bundle.lock, naming), writer, ...(harbor === undefined ? {} : { harbor }) };
    },
    (done) => {
      result = done;
    },
  );
  return {
    steps: [
      {
        id: 'trust',
        title: 'Trusted',
        run: () =>
          orClose(async () => {
            bundle = await ports.openBundle(request.bundlePath);
            return { summary: ports.checkTrust(bundle) };
          }),
      },
      {
        id: 'login',
        title: 'Login',
        run: () =>
          orClose(async () => {
            registry = await ports.openRegistry(naming.registryHost);
            return {
              summary:
                registry.version === undefined ? naming.registryHost : `${naming.registryHost}, Harbor ${registry.version}`,
            };
          }),
      },
      {
        ...push,
        run: (report, signal) =>
          orClose(async () => {
            const done = await push.run(report, signal);
            if ((result?.projectsMade ?? 0) > 0) report.note(`${countText(result?.projectsMade ?? 0, 'project')} made`);
            await closeAll();
            return done;
          }),
      },
    ],
    result: () => {
      if (result === undefined) throw outOfOrder();
      return result;
    },
  };
}

/** @throws DeliverError E_USAGE */
export function parseTarget(to: string): SiteNaming {
  const [registryHost = '', project, ...rest] = to
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .split('/');
  if (registryHost === '' || rest.length > 0 || project === '' || !URL.canParse(`http://${registryHost}`)) {
    throw new DeliverError('E_USAGE', {
      what: `“${to}” is not a place to push to.`,
      why: rest.length > 0 ? 'Only one project can follow the host.' : 'It must name a registry host.',
      fix: 'Write --to HOST, HOST:PORT or HOST/PROJECT.',
    });
  }
  return { registryHost, ...(project === undefined ? {} : { project }) };
}

function outOfOrder(): DeliverError {
  return new DeliverError('E_BUG', { what: 'The steps of push ran out of order.' });
}
