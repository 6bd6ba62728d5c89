import { createHash } from 'node:crypto';
import { bytesText, countText } from '../../core/amounts.ts';
import type { DeepInspection } from '../../flows/inspect-deep.ts';
import { byteMap } from '../../inspect/byte-map.ts';
import { html, Markup } from './markup.ts';
import { pageMap } from './page-map.ts';
import { pagePackages } from './page-packages.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';
import { pageTables } from './page-tables.ts';

const SIGNATURE = {
  good: 'signed by',
  wrong: 'WRONG signature by',
  unsupported: 'signature that can’t be checked here, by',
} as const;

/**
 * A whole page about a bundle in one file that asks no network for anything. Its policy allows exactly the style and the
 * script that are in it, so that nothing from the bundle could run even where the escaping failed. The same bundle is always
 * the same bytes.
 */
export function inspectPage(inspection: DeepInspection): string {
  const { summary, images, shared, since } = inspection;
  const earlier = since === undefined ? undefined : `${since.name} ${since.version}`;
  const { charts, files } = summary;
  const groups = byteMap({ images, shared, charts, files, ...(since === undefined ? {} : { known: since.known }) });
  const policy = `default-src 'none'; style-src '${hashOf(PAGE_STYLE)}'; script-src '${hashOf(PAGE_SCRIPT)}'; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${summary.release} ${summary.version}</title>
        ${new Markup(`<style>${PAGE_STYLE}</style>`)}
      </head>
      <body>
        <main>
          ${header(inspection)}
          <section>
            <h2>
              Where the bytes are<small
                >${bytesText(groups.reduce((sum, { size }) => sum + size, 0))}, each counted once; point at a box, or tap
                it</small
              >
            </h2>
            ${pageMap(groups, earlier)}
          </section>
          ${pageTables(inspection)}${pagePackages(inspection)}
          <footer>
            Written by deliver inspect from the bundle itself. Signatures shown as good fit this bundle; whether their keys are to
            be trusted is for deliver verify --trust.
          </footer>
        </main>
        ${new Markup(`<script>${PAGE_SCRIPT}</script>`)}
      </body>
    </html> `.text;
}

function header({ summary, since }: DeepInspection): Markup {
  const { signatures, base } = summary;
  const signed = signatures.map(
    ({ state, fingerprint }) =>
      html`<div class="${state === 'good' ? 'good' : 'bad'}">
        ${SIGNATURE[state]} <code>${fingerprint ?? 'an unreadable key'}</code>
      </div>`,
  );
  return html`<h1>${summary.release} <span>${summary.version}</span></h1>
    <dl class="facts">
      <div>
        <dt>Size</dt>
        <dd>${bytesText(summary.size)} (${summary.size.toLocaleString('en-US')} bytes)</dd>
      </div>
      <div>
        <dt>Holds</dt>
        <dd>
          ${[
            countText(summary.images.length, 'image'),
            countText(summary.charts.length, 'chart'),
            countText(summary.files.length, 'file'),
            countText(summary.blobs, 'blob'),
          ].join(', ')}
        </dd>
      </div>
      <div>
        <dt>Platforms</dt>
        <dd>${summary.platforms.join(', ')}</dd>
      </div>
      <div>
        <dt>Root digest</dt>
        <dd><code>${summary.root}</code></dd>
      </div>
      <div>
        <dt>Signatures</dt>
        <dd>${signed.length === 0 ? html`<span class="bad">not signed</span>` : signed}</dd>
      </div>
      ${
        base === undefined
          ? ''
          : html`<div>
              <dt>A delta</dt>
              <dd>
                builds on ${base.name} ${base.version}: ${countText(base.blobs, 'blob')}, ${bytesText(base.bytes)} must be on site
                already<br /><code>${base.root}</code>
              </dd>
            </div>`
      }
      ${
        since === undefined
          ? ''
          : html`<div>
              <dt>New since ${since.name} ${since.version}</dt>
              <dd>
                ${countText(since.newBlobs, 'blob')}, ${bytesText(since.newBytes)}; ${bytesText(since.knownBytes)} are the same<br /><code
                  >${since.root}</code
                >
              </dd>
            </div>`
      }
    </dl>`;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
