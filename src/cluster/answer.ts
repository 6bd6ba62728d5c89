import type { z } from 'zod';
import { DeliverError } from '../core/errors.ts';

/**
 * The body of a successful answer, of the form that Kubernetes gives it.
 * @throws DeliverError E_CLUSTER: something else answers at that address (a proxy, a login page)
 */
export function answerOf<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new DeliverError('E_CLUSTER', {
    what: 'What answers at the address of the API server is no Kubernetes.',
    why: 'Its answer has another form than the Kubernetes API gives.',
    fix: 'Check the server in the kubeconfig, and that no proxy or login page stands in between.',
  });
}
