import type { Site } from '../../manifest/site-schema.ts';
import type { NodeMirrors } from '../../site/mirrors/mirrors.ts';
import { MIRROR_RELOAD_TEXT } from '../../site/mirrors/other-runtimes.ts';
import type { NodePlan } from './types.ts';

/** What an install would write for the runtime of each node, and how it makes that runtime read it. */
export function nodePlans(mirrors: readonly NodeMirrors[], { runtime }: Pick<Site, 'runtime'>): NodePlan[] {
  const kind = runtime?.kind ?? 'containerd';
  return mirrors.map(({ node, files, reload, due = false }) => {
    const changed = files.flatMap(({ file, state }) => (state === 'same' ? [] : [file.path]));
    const isTold = reload !== undefined && kind !== 'containerd' && (due || changed.length > 0);
    return { host: node, files: changed, ...(isTold ? { reload: { does: MIRROR_RELOAD_TEXT[kind], due } } : {}) };
  });
}

/** True when an install would write there, or tell its runtime to read what is there. */
export function isTouched({ files, reload }: NodePlan): boolean {
  return files.length > 0 || reload !== undefined;
}
