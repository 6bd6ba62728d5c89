import { isCarrySet } from '../bundle/open-source.ts';
import type { Flow } from '../core/report.ts';
import { diffReleases, type DiffResult } from '../flows/diff.ts';
import { inspectBundle, type InspectResult } from '../flows/inspect.ts';
import { verifyFlow, type VerifyResult } from '../flows/verify.ts';

// The verbs that read a bundle and nothing else: apart from compose.ts, so that they start fast.

export interface VerifyWish {
  readonly bundle: string;
  readonly trust: readonly string[];
  readonly threshold: number;
  readonly allowUnsigned: boolean;
}

export async function composeInspect({ bundle }: { readonly bundle: string }): Promise<InspectResult> {
  return inspectBundle(bundle);
}

/** A folder or a volume is looked at volume by volume first. @throws DeliverError E_FILE_NOT_FOUND, E_FILE_UNREADABLE */
export async function composeVerify({ bundle, trust, threshold, allowUnsigned }: VerifyWish): Promise<Flow<VerifyResult>> {
  const input = { bundlePath: bundle, trust, threshold, allowUnsigned };
  if (!(await isCarrySet(bundle))) return verifyFlow(input);
  const { verifyCarryFlow } = await import('../flows/verify-carry.ts');
  return verifyCarryFlow(input);
}

export async function composeDiff(wish: { readonly before: string; readonly after: string }): Promise<DiffResult> {
  return diffReleases(wish.before, wish.after);
}
