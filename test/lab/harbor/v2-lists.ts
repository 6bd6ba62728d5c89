import type { OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from './context.ts';
import { badRequest, notFound } from './errors.ts';
import { sendJson } from './reply.ts';
import type { V2Target } from './v2.ts';

/** Distribution's paging: `n` items after `last`, and a Link while there are more. */
function page(x: Exchange, names: readonly string[]): { shown: string[]; headers: OutgoingHttpHeaders } {
  const wanted = x.query.get('n');
  if (wanted !== null && !/^\d+$/.test(wanted)) throw badRequest(`invalid value for n: ${wanted}`);
  const last = x.query.get('last');
  const rest = [...names].sort().filter((name) => last === null || name > last);
  const size = wanted === null ? rest.length : Number(wanted);
  const shown = rest.slice(0, size);
  const end = shown.at(-1);
  if (end === undefined || shown.length === rest.length) return { shown, headers: {} };
  return { shown, headers: { Link: `<${x.rawPath}?last=${encodeURIComponent(end)}&n=${String(size)}>; rel="next"` } };
}

export function sendCatalog(x: Exchange): void {
  const filled = Object.values(x.harbor.state.repositories).filter((repository) => Object.keys(repository.artifacts).length > 0);
  const { shown, headers } = page(
    x,
    filled.map((repository) => repository.name),
  );
  sendJson(x, 200, { repositories: shown }, headers);
}

export function sendTags(x: Exchange, { repository: name }: V2Target): void {
  const repository = x.harbor.state.repositories[name];
  if (repository === undefined) throw notFound(`repository ${name} not found`);
  const { shown, headers } = page(x, Object.keys(repository.tags));
  sendJson(x, 200, { name, tags: shown }, headers);
}
