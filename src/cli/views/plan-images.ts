import { bytesText, countText } from '../../core/amounts.ts';
import type { ImagesPlan } from '../../flows/plan/types.ts';
import { hanging } from './plan-items.ts';

/** What a site without a registry means, said in every plan of one. */
const MEANING = 'no registry: each node keeps what it pulls through this machine, and can start nothing else once this ends';

/** The nodes that pull, those alike in one line. */
export function imagesStep(
  { nodes, changes }: ImagesPlan,
  width: number,
): Record<'lines' | 'details', readonly string[]> & { readonly title: string; readonly open: boolean } {
  const groups = Map.groupBy(nodes, ({ pull, bytes, keep, letGo }) => JSON.stringify([pull, bytes, keep, letGo]));
  const busy = [...groups.values()].flatMap((same) => {
    const [first] = same;
    const idle = first === undefined || first.pull.length + first.keep.length + first.letGo.length === 0;
    return idle ? [] : [{ names: same.map(({ node }) => node).join(', '), ...first }];
  });
  const lines = busy.map(({ names, pull, bytes, keep, letGo }) => {
    const parts = [
      ...(pull.length === 0 ? [] : [`pull ${countText(pull.length, 'image')}, ${bytesText(bytes)}`]),
      ...(keep.length === 0 ? [] : [`pin ${countText(keep.length, 'image')} of those there`]),
      ...(letGo.length === 0 ? [] : [`let ${countText(letGo.length, 'old image')} go`]),
    ];
    return `${names}: ${parts.join(', ')}`;
  });
  return {
    title: 'Images',
    lines: [...(lines.length === 0 ? ['no change'] : lines), MEANING].flatMap((line) => hanging(line, width)),
    details: busy.flatMap(({ names, pull, keep }) => [...pull, ...keep].map((reference) => `${names}: ${reference}`)),
    open: changes > 0,
  };
}

/** `300 MB of images to 2 nodes` */
export function imagesSent({ nodes }: ImagesPlan): string | undefined {
  const pulling = nodes.filter(({ bytes }) => bytes > 0);
  const bytes = pulling.reduce((sum, node) => sum + node.bytes, 0);
  return bytes === 0 ? undefined : `${bytesText(bytes)} of images to ${countText(pulling.length, 'node')}`;
}
