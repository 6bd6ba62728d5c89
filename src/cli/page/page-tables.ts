import { bytesText, countText } from '../../core/amounts.ts';
import type { DeepInspection } from '../../flows/inspect-deep.ts';
import { shortDigest } from '../../inspect/byte-map.ts';
import type { DeepImage, SharedBlob } from '../../inspect/deep-image.ts';
import type { ImageLayer } from '../../inspect/image-parts.ts';
import { html, type Markup } from './markup.ts';
import { anchorOf } from './page-packages.ts';

/** Sections with nothing in them are left out. */
export function pageTables({ summary, images, shared, since }: DeepInspection): readonly Markup[] {
  const sorted = [...images].sort(bySize);
  const news = since === undefined ? [] : ['#New'];
  return [
    section(
      'Images',
      images.length,
      ['Image', 'Platforms', '#Size', '#Own', '#Shared', ...news, '#Layers'],
      sorted.map((image) => imageRow(image, since)),
      totalRow(sorted, shared, since),
    ),
    section(
      'Shared by several',
      shared.length,
      ['Blob', 'Needed by', '#Size'],
      shared.map(({ digest, mediaType, users, size }) =>
        row([html`${shortDigest(digest)}<code>${mediaType}</code>`], ['Needed by', list(users)], ['Size', bytesText(size)]),
      ),
    ),
    section(
      'Charts',
      summary.charts.length,
      ['Chart', 'Goes to', '#Size'],
      [...summary.charts]
        .sort(bySize)
        .map(({ name, version, reference, digest, size }) =>
          row([html`${name} ${version}<code>${digest}</code>`], ['Goes to', reference], ['Size', bytesText(size)]),
        ),
    ),
    section(
      'Files',
      summary.files.length,
      ['File', 'Comes from', '#Size'],
      [...summary.files]
        .sort(bySize)
        .map(({ name, title, source, digest, size }) =>
          row(
            [html`${name}${title === name ? '' : ` (${title})`}<code>${digest}</code>`],
            ['Comes from', source],
            ['Size', bytesText(size)],
          ),
        ),
    ),
  ];
}

function imageRow(image: DeepImage, since: DeepInspection['since']): Markup {
  const { digest, size, unique, parts, attestations, neededBy } = image;
  const platforms = [...new Set(parts.flatMap(({ platform }) => platform ?? []))];
  const layers = new Set(parts.flatMap((part) => part.layers.map((layer) => layer.digest))).size;
  const needed = html`<span class="dim">for ${neededBy.join(', ')}</span>`;
  const extras =
    attestations.length === 0
      ? ''
      : html`<br />${countText(attestations.length, 'attestation')}: ${list(attestations.map(attestationText))}`;
  return row(
    [html`${linked(image)}<code>${digest}</code>${needed}${extras}`],
    ['Platforms', platforms.length === 0 ? '–' : list(platforms)],
    ['Size', bytesText(size)],
    ['Own', bytesText(unique)],
    ['Shared', bytesText(size - unique)],
    ...newCell([image], since),
    ['Layers', String(layers)],
  );
}

/** To its layers and packages further down, where it has some. */
function linked({ reference, parts }: DeepImage): Markup {
  const [first] = parts;
  return first === undefined ? html`${reference}` : html`<a href="#${anchorOf(first.digest)}">${reference}</a>`;
}

/** What all images need, each byte once: their sum would count shared layers again and again. */
function totalRow(images: readonly DeepImage[], shared: readonly SharedBlob[], since: DeepInspection['since']): Markup {
  const own = images.reduce((sum, { unique }) => sum + unique, 0);
  const common = shared
    .filter(({ users }) => users.some((user) => user.startsWith('image ')))
    .reduce((sum, { size }) => sum + size, 0);
  const layers = new Set(layersOf(images).map(({ digest }) => digest)).size;
  const cells: readonly Cell[] = [
    ['Size', bytesText(own + common)],
    ['Own', bytesText(own)],
    ['Shared', bytesText(common)],
    ...newCell(images, since),
    ['Layers', String(layers)],
  ];
  return html`<tr>
    <th colspan="2">All images, each byte once</th>
    ${cells.map(([name, content]) => html`<td data-name="${name}" class="number">${content}</td>`)}
  </tr> `;
}

/** Bytes of the layers that the earlier release lacks. */
function newCell(images: readonly DeepImage[], since: DeepInspection['since']): readonly Cell[] {
  if (since === undefined) return [];
  const fresh = layersOf(images).filter(({ digest }) => !since.known.has(digest));
  const bytes = [...new Map(fresh.map(({ digest, size }) => [digest, size])).values()].reduce((sum, size) => sum + size, 0);
  return [['New', bytes === 0 ? '–' : bytesText(bytes)]];
}

function layersOf(images: readonly DeepImage[]): readonly ImageLayer[] {
  return images.flatMap(({ parts }) => parts.flatMap(({ layers }) => layers));
}

/** What it is, what it says, and whether somebody signed it: nothing here checks by whom. */
function attestationText({ predicateType, mediaType, payload }: DeepImage['attestations'][number]): string {
  const what = payload?.predicateType ?? predicateType ?? mediaType;
  if (payload === undefined) return what;
  const { bom, signed, problem } = payload;
  const says = bom === undefined ? [] : [`${bom.format}, ${countText(bom.packages.length, 'package')}`];
  const unread = problem === undefined ? [] : [`not read: ${problem}`];
  const by = signed === undefined ? [] : [signed ? 'signed, signature not checked' : 'not signed'];
  return `${what} (${[...says, ...by, ...unread].join('; ')})`;
}

type Cell = readonly [name: string, content: string | Markup];

/** Amounts are aligned to the right; on a narrow page every cell says what it is. */
function row([first]: readonly [Markup], ...cells: readonly Cell[]): Markup {
  const amounts = new Set(['Size', 'Own', 'Shared', 'New', 'Layers']);
  return html`<tr>
    <td>${first}</td>
    ${cells.map(
      ([name, content]) => html`<td data-name="${name}" ${amounts.has(name) ? html` class="number"` : ''}>${content}</td>`,
    )}
  </tr> `;
}

/** @param columns those of amounts begin with # */
function section(title: string, count: number, columns: readonly string[], rows: readonly Markup[], total?: Markup): Markup {
  if (count === 0) return html``;
  const heads = columns.map(
    (name) => html`<th${name.startsWith('#') ? html` class="number"` : ''}>${name.replace('#', '')}</th>`,
  );
  return html`<section>
    <h2>${title}<small>${count}</small></h2>
    <table class="wide">
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
      ${
        total === undefined || count < 2
          ? ''
          : html`<tfoot>
              ${total}
            </tfoot>`
      }
    </table>
  </section> `;
}

function list(items: readonly string[]): Markup {
  return html`<ul>
    ${items.map((item) => html`<li>${item}</li>`)}
  </ul>`;
}

function bySize(a: { readonly size: number }, b: { readonly size: number }): number {
  return b.size - a.size;
}
