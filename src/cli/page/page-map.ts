import { bytesText } from '../../core/amounts.ts';
import type { Area, AreaGroup } from '../../inspect/byte-map.ts';
import { squarify, type Rectangle } from '../../inspect/treemap.ts';
import { truncate } from '../text.ts';
import { html, type Markup } from './markup.ts';

// Laid out on a plane of this size in pixels, then written in percent: text keeps its size however wide the page is.
const PLANE = { x: 0, y: 0, width: 1150, height: 520 };
/** Pixels of a group's line of text, and of the space around its boxes. */
const HEAD = 20;
const GAP = 3;
/** Pixels of a letter, about, in a box and in a group's line; of the space beside a text. */
const LETTER = 6.9;
const BOLD = 7.6;
const ASIDE = 10;
/** Of a telephone's page to the plane, and of the narrowest page that still counts as wide (see the style). */
const PHONE = 0.31;
const WIDE = 0.84;

const LEGEND = {
  layer: 'layers of one image',
  shared: 'layers that several share (counted once)',
  chart: 'charts',
  file: 'files',
  rest: 'manifests, configs, small layers',
} as const;

/** The map of bytes: a box for each layer, in a frame for each image. */
export function pageMap(groups: readonly AreaGroup[], since?: string): Markup {
  const places = squarify(
    groups.map(({ size }) => size),
    PLANE,
  );
  const used = new Set(groups.flatMap(({ areas }) => areas.map(({ kind }) => kind)));
  const kinds = (Object.keys(LEGEND) as (keyof typeof LEGEND)[]).filter((kind) => used.has(kind));
  // One stop for the tabulator key; arrows go on from there.
  let first = true;
  const frames = groups.map((group, at) => {
    const frame = groupFrame(group, places[at] ?? PLANE, first, since);
    first = false;
    return frame;
  });
  return html`<div class="mapbox">
      <svg
        class="map"
        role="group"
        aria-label="Map of bytes: one box for each layer, chart and file. Arrow keys go from box to box."
      >
        ${frames}
      </svg>
      <div id="tip" role="status" hidden></div>
    </div>
    <ul class="legend">
      ${kinds.map((kind) => html`<li><i class="${kind}"></i>${LEGEND[kind]}</li>`)}${
        since === undefined ? '' : html`<li><i class="known"></i>pale: ${since} has it already</li>`
      }
    </ul>`;
}

function groupFrame({ title, size, areas }: AreaGroup, place: Rectangle, isFirst: boolean, since?: string): Markup {
  const hasHead = place.width > 50 && place.height > 3 * HEAD;
  const top = hasHead ? HEAD : GAP;
  const inner = {
    x: place.x + GAP,
    y: place.y + top,
    width: Math.max(0, place.width - 2 * GAP),
    height: Math.max(0, place.height - top - GAP),
  };
  const boxes = squarify(
    areas.map((area) => area.size),
    inner,
  );
  const head = hasHead ? headText(shortTitle(title), bytesText(size), place.width) : '';
  return html` <g class="group"
    >${svgAt(place, head)}${areas.map((area, at) => areaBox(title, area, boxes[at] ?? inner, isFirst && at === 0, since))}</g
  >`;
}

function areaBox(group: string, area: Area, place: Rectangle, isFirst: boolean, since?: string): Markup {
  const { kind, label, notes, size, known } = area;
  const age = known === undefined || since === undefined ? [] : [known ? `${since} has it` : `new since ${since}`];
  const tip = [group, `${label}: ${bytesText(size)} (${String(size)} bytes)`, ...age, ...notes].join('\n');
  const texts = boxTexts(label, bytesText(size), place);
  return html`<svg
    ${position(place)}
    class="area${known === true ? ' known' : ''}"
    role="img"
    tabindex="${isFirst ? 0 : -1}"
    aria-label="${tip}"
  >
    <title>${titleLines(tip)}</title>
    <rect class="${kind}" width="100%" height="100%" rx="2" />
    ${texts}
  </svg>`;
}

/** What fits of a box's name and size; where the name does not, the size is more than a piece of it. */
function boxTexts(label: string, size: string, { width, height }: Rectangle): readonly Markup[] {
  const short = label.replace(/ of \d+/, '');
  const name = [label, short].find((text) => needs(text) <= width * WIDE);
  const lines = [...(name === undefined ? [] : [name]), ...(needs(size) <= width * WIDE ? [size] : [])];
  return lines.slice(0, Math.floor(height / 18)).map((text, at) => {
    const broad = needs(text) <= width * PHONE ? '' : html` class="broad"`;
    return html`<text${broad} x="6" y="${16 * (at + 1)}">${text}</text>`;
  });
}

function needs(text: string): number {
  return text.length * LETTER + ASIDE;
}

/** Name and size; else the name, cut where it has to be. */
function headText(title: string, size: string, width: number): Markup {
  const letters = (scale: number): number => Math.floor((width * scale - ASIDE) / BOLD);
  const whole = `${title} ${size}`;
  const phone = whole.length <= letters(PHONE);
  const shown = whole.length <= letters(WIDE) ? whole : truncate(title.replace(/:[^:]*$/, ''), letters(WIDE));
  if (shown.length < 3) return html``;
  return html`<text class="head${phone ? '' : ' broad'}" x="5" y="15">${shown}</text>`;
}

function svgAt(place: Rectangle, content: Markup | string): Markup {
  return html`<svg ${position(place)}>${content}</svg>`;
}

/** Line breaks stay in a title: each line on its own. */
function titleLines(tip: string): readonly Markup[] {
  return tip.split('\n').map((line, at) => (at === 0 ? html`${line}` : html`&#10;${line}`));
}

function position({ x, y, width, height }: Rectangle): Markup {
  const percent = (value: number, of: number): string => `${((value / of) * 100).toFixed(3)}%`;
  return html`x="${percent(x, PLANE.width)}" y="${percent(y, PLANE.height)}" width="${percent(width, PLANE.width)}"
  height="${percent(height, PLANE.height)}"`;
}

/** The end of a reference says more than its host. */
function shortTitle(title: string): string {
  return title.slice(title.lastIndexOf('/') + 1);
}
