import { bytesText, countText } from '../../core/amounts.ts';
import type { DeepInspection } from '../../flows/inspect-deep.ts';
import type { DeepImage } from '../../inspect/deep-image.ts';
import type { ImagePart } from '../../inspect/image-parts.ts';
import type { PackageEntry } from '../../inspect/package-entry.ts';
import { html, type Markup } from './markup.ts';

/** Layers, packages and licences, image by image; closed until someone wants them, open on paper. */
export function pagePackages({ images, analysed }: DeepInspection): Markup {
  const title = analysed ? 'Layers, packages and licences' : 'Layers';
  const said = analysed
    ? html`<p class="dim">
        From the package databases of dpkg and apk. What a program brings in itself (Go, Node, Python, Java …) is in no such
        database and not listed.
      </p>`
    : html`<p class="dim">Packages were not looked for (--no-packages).</p>`;
  return html`<section>
    <h2>${title}</h2>
    ${said} ${images.flatMap((image) => image.parts.map((part) => partDetails(image, part)))}
  </section> `;
}

function partDetails(image: DeepImage, part: ImagePart): Markup {
  const facts = image.packages.get(part.digest);
  const packages = facts?.packages ?? [];
  const licences = countBy(packages.flatMap((entry) => entry.licences));
  const distribution = facts?.distribution;
  const about = [
    part.platform,
    distribution === undefined ? undefined : (distribution.title ?? distribution.id),
    facts === undefined ? undefined : countText(packages.length, 'package'),
    countText(part.layers.length, 'layer'),
  ].filter((text) => text !== undefined);
  const labels = Object.entries(part.labels).map(
    ([name, value]) => `${name.slice('org.opencontainers.image.'.length)}: ${value}`,
  );
  return html`<details>
    <summary>${image.reference} <span class="dim">${about.join(' · ')}</span></summary>
    ${(facts?.notes ?? []).map((note) => html`<p class="bad">${note}</p>`)}${
      labels.length === 0 ? '' : html`<p>The image says: ${labels.join(' · ')}</p>`
    }${licences.length === 0 ? '' : html`<p>Licences: ${licences.map(([name, count]) => `${name} (${String(count)})`).join(' · ')}</p>`}
    <table class="wide">
      <thead>
        <tr>
          <th>Layer</th>
          <th>Made by</th>
          <th class="number">Size</th>
        </tr>
      </thead>
      <tbody>
        ${part.layers.map(
          ({ digest, size, madeBy }) =>
            html`<tr>
              <td><code>${digest}</code></td>
              <td data-name="Made by">${madeBy ?? '–'}</td>
              <td data-name="Size" class="number">${bytesText(size)}</td>
            </tr> `,
        )}
      </tbody>
    </table>
    ${packages.length === 0 ? '' : packageTable(packages)}
  </details> `;
}

function packageTable(packages: readonly PackageEntry[]): Markup {
  const rows = packages.map(
    ({ type, name, version, licences }) =>
      html`<tr>
        <td>${name} <span class="dim">${type}</span></td>
        <td>${version}</td>
        <td>${licences.length === 0 ? html`<span class="dim">not said for machines</span>` : licences.join(', ')}</td>
      </tr> `,
  );
  return html`<table>
    <thead>
      <tr>
        <th>Package</th>
        <th>Version</th>
        <th>Licences</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

/** Most frequent first. */
function countBy(names: readonly string[]): (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1));
}
