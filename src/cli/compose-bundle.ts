import type { Flow } from '../core/report.ts';
import { inspectBundle, type InspectResult } from '../flows/inspect.ts';
import { verifyFlow, type VerifyResult } from '../flows/verify.ts';

// The verbs that read a bundle and nothing else: apart from compose.ts, so that they start fast.

export interface VerifyWish {
  readonly bundle: string;
  readonly trust: readonly string[];
  readonly allowUnsigned: boolean;
}

export async function composeInspect({ bundle }: { readonly bundle: string }): Promise<InspectResult> {
  return inspectBundle(bundle);
}

export function composeVerify({ bundle, trust, allowUnsigned }: VerifyWish): Flow<VerifyResult> {
  return verifyFlow({ bundlePath: bundle, trust, allowUnsigned });
}
