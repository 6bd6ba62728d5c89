import { bytesText, countText } from '../../core/amounts.ts';
import type { DeepInspection } from '../../flows/inspect-deep.ts';
import { shortDigest } from '../../inspect/byte-map.ts';
import type { DeepImage } from '../../inspect/deep-image.ts';
import { html, type Markup } from './markup.ts';

/** Sections with nothing in them are left out. */
export function pageTables({ summary, images, shared }: DeepInspection): readonly Markup[] {
  return [
    section(
      'Images',
      images.length,
      ['Image', 'Platforms', '#Size', '#Own', '#Shared', '#Layers'],
      [...images].sort(bySize).map(imageRow),
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

function imageRow({ reference, digest, size, unique, parts, attestations, neededBy }: DeepImage): Markup {
  const platforms = [...new Set(parts.flatMap(({ platform }) => platform ?? []))];
  const layers = new Set(parts.flatMap((part) => part.layers.map((layer) => layer.digest))).size;
  const needed = html`<span class="dim">for ${neededBy.join(', ')}</span>`;
  const extras =
    attestations.length === 0
      ? ''
      : html`<br />${countText(attestations.length, 'attestation')}:
          ${attestations.map(({ predicateType, mediaType }) => predicateType ?? mediaType).join(', ')}`;
  return row(
    [html`${reference}<code>${digest}</code>${needed}${extras}`],
    ['Platforms', platforms.length === 0 ? '–' : list(platforms)],
    ['Size', bytesText(size)],
    ['Own', bytesText(unique)],
    ['Shared', bytesText(size - unique)],
    ['Layers', String(layers)],
  );
}

type Cell = readonly [name: string, content: string | Markup];

/** Amounts are aligned to the right; on a narrow page every cell says what it is. */
function row([first]: readonly [Markup], ...cells: readonly Cell[]): Markup {
  const amounts = new Set(['Size', 'Own', 'Shared', 'Layers']);
  return html`<tr>
    <td>${first}</td>
    ${cells.map(
      ([name, content]) => html`<td data-name="${name}" ${amounts.has(name) ? html` class="number"` : ''}>${content}</td>`,
    )}
  </tr> `;
}

/** @param columns those of amounts begin with # */
function section(title: string, count: number, columns: readonly string[], rows: readonly Markup[]): Markup {
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
