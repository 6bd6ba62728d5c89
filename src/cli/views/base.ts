import { bytesText, countText } from '../../core/amounts.ts';
import type { LeftOut } from '../../flows/left-out.ts';
import type { Style } from '../style.ts';
import { said, WIDTH } from './lines.ts';

/** What a delta needs on site, for a person who may have thought it was everything. */
export function viewBase({ name, version, root, blobs, bytes }: LeftOut, style: Style, width = WIDTH): string[] {
  const needs = `${countText(blobs, 'blob')}, ${bytesText(bytes)}`;
  const what = `${style.warn('delta')} on top of ${name} ${version}: ${needs} must be on site already`;
  return [...said('  ', what, width), `    base ${root}`];
}
