import { bytesText, countText } from '../../core/amounts.ts';
import type { DeepInspection } from '../../flows/inspect-deep.ts';
import type { DeepImage } from '../../inspect/deep-image.ts';
import type { ImagePart } from '../../inspect/image-parts.ts';
import { attestedPackages, packageKey, sourceText, type Attested } from '../../inspect/attested-components.ts';
import type { PackageEntry } from '../../inspect/package-entry.ts';
import { packagePurl } from '../../inspect/purl.ts';
import { html, type Markup } from './markup.ts';

/** Layers, packages and licences, image by image; closed until someone wants them, open on paper. */
export function pagePackages({ images, analysed }: DeepInspection): Markup {
  const title = analysed ? 'Layers, packages and licences' : 'Layers';
  const said = analysed
    ? html`<p class="dim">
        From the package databases of dpkg and apk. What a program brings in itself (Go, Node, Python, Java …) is in no such
        database: it is listed only where an attestation that travels with the image names it, and says so.
      </p>`
    : html`<p class="dim">Packages were not looked for (--no-packages).</p>`;
  return html`<section>
    <h2>${title}</h2>
    ${said} ${images.flatMap((image) => image.parts.map((part) => partDetails(image, part)))}
  </section> `;
}

/** Where the layers and packages of a manifest are on the page; a browser opens what it is in. */
export function anchorOf(digest: string): string {
  return `m-${digest.replace(/[^0-9a-z]+/g, '-').slice(0, 24)}`;
}

function partDetails(image: DeepImage, part: ImagePart): Markup {
  const facts = image.packages.get(part.digest);
  const packages = facts?.packages ?? [];
  const attested = attestedOnly(image, part);
  const licences = countBy([...packages, ...attested.map(({ entry }) => entry)].flatMap((entry) => entry.licences));
  const distribution = facts?.distribution;
  const about = [
    part.platform,
    distribution === undefined ? undefined : (distribution.title ?? distribution.id),
    facts === undefined ? undefined : countText(packages.length, 'package'),
    attested.length === 0 ? undefined : `${String(attested.length)} more by attestation`,
    countText(part.layers.length, 'layer'),
  ].filter((text) => text !== undefined);
  const labels = Object.entries(part.labels).map(
    ([name, value]) => `${name.slice('org.opencontainers.image.'.length)}: ${value}`,
  );
  return html`<details>
    <summary>${image.reference} <span class="dim">${about.join(' · ')}</span></summary>
    <a id="${anchorOf(part.digest)}"></a>
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
    ${packages.length + attested.length === 0 ? '' : packageTable(packages, attested)}
  </details> `;
}

/** What attestations name and no package database does. */
function attestedOnly(image: DeepImage, part: ImagePart): readonly Attested[] {
  const facts = image.packages.get(part.digest);
  const about = image.parts.length === 1 ? image.attestations : image.attestations.filter((one) => one.about === part.digest);
  const known = new Set(
    (facts?.packages ?? []).map((entry) => packageKey({ ...entry, purl: packagePurl(entry, facts?.distribution) })),
  );
  return [...attestedPackages(about)].flatMap(([key, attested]) => (known.has(key) ? [] : [attested]));
}

function packageTable(packages: readonly PackageEntry[], attested: readonly Attested[]): Markup {
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
      ${rows}${attested.map(attestedRow)}
    </tbody>
  </table>`;
}

function attestedRow({ entry: { name, version, purl, licences }, by }: Attested): Markup {
  const type = /^pkg:([^/]+)/.exec(purl ?? '')?.[1] ?? '';
  return html`<tr>
    <td>
      ${name} <span class="dim">${type}</span>
      <div class="dim">
        by attestation
        ${by
          .map(sourceText)
          .map((text) => `${text.slice(0, 19)}…${text.slice(71)}`)
          .join(', ')}
      </div>
    </td>
    <td>${version ?? '–'}</td>
    <td>${licences.length === 0 ? html`<span class="dim">not said</span>` : licences.join(', ')}</td>
  </tr> `;
}

/** Most frequent first. */
function countBy(names: readonly string[]): (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1));
}
