import { DeliverError } from '../core/errors.ts';
import type { PodProblem } from './pod-problem.ts';

/** What a pod that can't run means to a person. `where` is `project/gatekeeper`, `state` says which pods run. */
export function podError(where: string, problem: PodProblem, state: string): DeliverError {
  switch (problem.kind) {
    case 'image':
      return imageError(where, problem, state);
    case 'image-name':
      return new DeliverError('E_IMAGE_PULL', {
        what: `${where}: ${problem.pod} can't start: “${problem.image ?? ''}” is not an image reference.`,
        why: problem.message,
        fix: 'Correct the image in the release, then resolve and pack it again.',
        state,
      });
    case 'crash':
      return new DeliverError('E_NOT_READY', {
        what: `${where}: ${problem.pod} crashes again and again on node ${problem.node}.`,
        why: `Container ${problem.container ?? ''} ended with ${problem.message}, ${String(problem.restarts)} restarts so far.`,
        fix: `Read its log: kubectl logs -n ${where.split('/')[0] ?? ''} ${problem.pod} -c ${problem.container ?? ''} --previous`,
        state,
      });
    case 'unschedulable':
      return new DeliverError('E_NOT_READY', {
        what: `${where}: no node takes ${problem.pod}.`,
        why: problem.message,
        fix: 'Make room on a node, or lower resources, replicas or spread in the release. Volumes: check the storage class.',
        state,
      });
    case 'config':
      return new DeliverError('E_NOT_READY', {
        what: `${where}: container ${problem.container ?? ''} of ${problem.pod} can't be made on node ${problem.node}.`,
        why: `${problem.reason}: ${problem.message}`,
        fix: 'Correct what the message names (a Secret, ConfigMap, command or mount), then run the same command again.',
        state,
      });
  }
}

function imageError(where: string, problem: PodProblem, state: string): DeliverError {
  return new DeliverError('E_IMAGE_PULL', {
    what: `${where}: ${problem.pod} can't start: node ${problem.node} can't pull ${problem.image ?? 'its image'}.`,
    why: problem.message,
    fix: pullFix(problem.message),
    state,
  });
}

function pullFix(message: string): string {
  if (/\b40[13]\b|unauthorized|denied|forbidden|authorization failed/i.test(message)) {
    return 'The registry refuses the pull account. Run the same install again: it renews the account and the pull secrets.';
  }
  if (/x509|certificate/i.test(message)) {
    return 'The node does not trust the registry’s certificate. Check registry.ca in the site file, then run the same install again.';
  }
  if (/not found|\b404\b|manifest unknown/i.test(message)) {
    return 'The site’s registry does not have it. Run the same install again: it pushes what is missing.';
  }
  if (/lookup |no such host|connection refused|i\/o timeout|no route|unreachable|deadline exceeded/i.test(message)) {
    // containerd reports the last host it tried, which is the upstream one, also when the mirror was the one to fail.
    return 'The node fell back from the site’s mirror to the upstream host. Check that the registry answers on the node and has the image, and that the node’s certs.d is in place (run the same install again).';
  }
  return 'Look at the registry and at the node’s container runtime, then run the same install again.';
}
