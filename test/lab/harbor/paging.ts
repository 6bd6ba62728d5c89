import type { OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from './context.ts';
import { sendJson } from './reply.ts';

/** One page of a list, with the total and the Link that Harbor sends. */
export function sendPage(x: Exchange, items: readonly unknown[]): void {
  const page = Math.max(1, Number(x.query.get('page') ?? 1));
  const size = Math.max(1, Number(x.query.get('page_size') ?? 10));
  const link = (number: number, rel: string): string => {
    const query = new URLSearchParams(x.query);
    query.delete('page');
    query.delete('page_size');
    query.append('page', String(number));
    query.append('page_size', String(size));
    return `<${x.rawPath}?${query.toString()}>; rel="${rel}"`;
  };
  const links: string[] = [];
  if (page > 1) links.push(link(page - 1, 'prev'));
  if (page * size < items.length) links.push(link(page + 1, 'next'));
  const headers: OutgoingHttpHeaders = { 'X-Total-Count': items.length };
  if (links.length > 0) headers.Link = links.join(' , ');
  sendJson(x, 200, items.slice((page - 1) * size, page * size), headers);
}

/** Harbor's `q=a=b,c=~d`: exact and fuzzy matches only; ranges and lists are not emulated. */
export function queryFilter(x: Exchange): Record<string, string> {
  const pairs = (x.query.get('q') ?? '').split(',').filter((part) => part.includes('='));
  return Object.fromEntries(pairs.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]));
}

/** `v1` equals, `~v` contains; no condition fits all. */
export function matches(value: string, condition: string | undefined): boolean {
  if (condition === undefined) return true;
  return condition.startsWith('~') ? value.includes(condition.slice(1)) : value === condition;
}
