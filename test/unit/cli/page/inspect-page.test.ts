import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { html } from '../../../../src/cli/page/markup.ts';
import { inspectPage } from '../../../../src/cli/page/inspect-page.ts';
import { digestOf } from '../../../../src/core/digest.ts';
import type { DeepInspection } from '../../../../src/flows/inspect-deep.ts';

const EVIL = `"'><script>alert(1)</script><img src=//x onerror=alert(1)>\u202e\u0000`;

/** An inspection in which every text comes from someone who means harm. */
function hostile(): DeepInspection {
  const digest = digestOf('x');
  const sized = { digest, size: 500 };
  return {
    summary: {
      path: EVIL,
      size: 1000,
      release: EVIL,
      version: EVIL,
      platforms: [EVIL],
      root: digest,
      signatures: [{ state: 'good', fingerprint: EVIL }, { state: 'wrong' }],
      images: [],
      charts: [{ name: EVIL, version: EVIL, reference: EVIL, ...sized }],
      files: [{ name: EVIL, title: EVIL, source: EVIL, ...sized }],
      content: 1000,
      blobs: 2,
    },
    images: [
      {
        reference: EVIL,
        digest,
        size: 900,
        unique: 900,
        neededBy: [EVIL],
        parts: [
          {
            digest,
            platform: EVIL,
            layers: [{ ...sized, mediaType: EVIL, madeBy: EVIL }],
            labels: { [`org.opencontainers.image.${EVIL}`]: EVIL },
          },
        ],
        attestations: [
          { kind: 'other', ...sized, mediaType: EVIL, about: digest },
          {
            kind: 'bom',
            ...sized,
            mediaType: EVIL,
            about: digest,
            payload: {
              signed: true,
              predicateType: EVIL,
              problem: EVIL,
              bom: { format: 'SPDX', packages: [{ name: EVIL, version: EVIL, purl: EVIL, licences: [EVIL] }] },
            },
          },
        ],
        packages: new Map([
          [
            digest,
            {
              packages: [{ type: 'deb', name: EVIL, version: EVIL, architecture: EVIL, licences: [EVIL] }],
              distribution: { id: EVIL, title: EVIL },
              notes: [EVIL],
            },
          ],
        ]),
      },
    ],
    shared: [{ digest: digestOf('y'), size: 7, mediaType: EVIL, users: [EVIL, EVIL] }],
    analysed: true,
    since: { name: EVIL, version: EVIL, root: EVIL, known: new Set([digest]), newBlobs: 1, newBytes: 1, knownBytes: 1 },
  };
}

it('escapes all that comes from a bundle', () => {
  const page = inspectPage(hostile());
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toContain('<img');
  expect(page).not.toContain('\u202e');
  expect(page).not.toContain('\u0000');
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
});

it('asks no network for anything, and its policy allows just its own style and script', () => {
  const page = inspectPage(hostile());
  const policy = /Content-Security-Policy"\s+content="([^"]*)"/.exec(page)?.[1] ?? '';
  expect(policy).toMatch(/^default-src 'none';/);
  for (const tag of ['style', 'script']) {
    const [, body = ''] = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page) ?? [];
    expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(body).digest('base64')}'`);
  }
  expect(page).not.toMatch(/url\(|@import/);
  // A link to another place on the page asks nobody.
  const tags = page.replaceAll(/ href="#m-[0-9a-z-]+"/g, '').replaceAll(/="[^"]*"/g, '=');
  expect(tags).not.toMatch(/<(?:link|iframe|object|embed|img)\b|<[^<>]*\s(?:src|href|style|on\w+)=/);
});

it('is the same bytes for the same bundle', () => {
  expect(inspectPage(hostile())).toBe(inspectPage(hostile()));
});

it('escapes values, not what is markup already', () => {
  expect(html`<b title="${'"'}">${['<', html`<i>${1}</i>`]}</b>`.text).toBe('<b title="&quot;">&lt;<i>1</i></b>');
});
