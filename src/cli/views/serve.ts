import { bytesText, countText } from '../../core/amounts.ts';
import type { ServeResult } from '../../flows/serve.ts';
import type { Style } from '../style.ts';
import { MARK } from '../words.ts';
import { headed, said, WIDTH } from './lines.ts';

/** What `deliver serve` says when it was stopped. */
export function viewServe({ address, requests, bytes, broken }: ServeResult, style: Style, width = WIDTH): string[] {
  const facts = [countText(requests, 'request'), bytesText(bytes)].join(' · ');
  return [
    '',
    ...headed(`${style.good(MARK.done)} `, style.bold(`${address} is closed`), facts, width),
    ...(broken === 0
      ? []
      : said(`  ${style.warn(MARK.warn)} `, `${countText(broken, 'answer')} broken off; the lines above say why.`, width)),
  ];
}
