/** The look of the page: system fonts, light and dark by the reader's setting, black on white on paper. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --page: #fbfbfa; --card: #fff; --text: #1c1d1f; --dim: #5d6168; --line: #d9dbdf;
  --good: #17692f; --bad: #b3261e; --link: #0b57a4;
  --layer: #a9c7ec; --shared: #f3c27c; --chart: #a5d8b4; --file: #d3b8e6; --rest: #d5d8dd; --ink: #16181b; }
@media (prefers-color-scheme: dark) { :root { --page: #16181b; --card: #1e2124; --text: #e7e8ea; --dim: #a0a5ad; --line: #363a40;
  --good: #7bd391; --bad: #ff8a80; --link: #8ab8ee;
  --layer: #2f5683; --shared: #8a5b14; --chart: #2c6b40; --file: #664585; --rest: #464b52; --ink: #f4f5f6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h1 span { font-weight: 400; color: var(--dim); }
h2 { font-size: 18px; margin: 40px 0 10px; }
h2 small, .dim { color: var(--dim); font-weight: 400; }
h2 small { font-size: 14px; margin-left: 6px; }
p { margin: 4px 0; }
code { font: 12.5px/1.5 ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 28px; margin: 14px 0 0; padding: 0; }
.facts div { min-width: 0; }
.facts dt { color: var(--dim); font-size: 13px; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.good { color: var(--good); } .bad { color: var(--bad); }
.mapbox { position: relative; }
svg.map { display: block; width: 100%; height: 520px; }
svg.map .group > rect { fill: none; stroke: var(--line); }
svg.map .head { font-size: 12.5px; font-weight: 600; fill: var(--text); }
svg.map .area > rect { stroke: var(--card); stroke-width: 1.5; }
svg.map text { font-family: inherit; pointer-events: none; }
svg.map .area text { font-size: 12px; fill: var(--ink); }
svg.map .area { outline: none; cursor: default; }
svg.map .area:hover > rect, svg.map .area:focus > rect { stroke: var(--text); stroke-width: 3; }
.layer { fill: var(--layer); background: var(--layer); } .shared { fill: var(--shared); background: var(--shared); }
.chart { fill: var(--chart); background: var(--chart); } .file { fill: var(--file); background: var(--file); }
.rest { fill: var(--rest); background: var(--rest); }
svg.map .known > rect { fill-opacity: .35; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 10px 0 0; padding: 0; list-style: none; font-size: 13.5px; }
.legend i { display: inline-block; width: 13px; height: 13px; margin-right: 6px; border-radius: 3px; vertical-align: -2px;
  border: 1px solid var(--line); }
.legend i.known { opacity: .35; background: var(--layer); }
#tip { position: absolute; z-index: 2; max-width: min(360px, 94%); padding: 8px 11px; border-radius: 6px; background: var(--text);
  color: var(--page); font-size: 13px; line-height: 1.4; pointer-events: none; overflow-wrap: anywhere; white-space: pre-line; }
#tip[hidden] { display: none; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); font-size: 14px; }
th, td { padding: 6px 10px; text-align: left; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; font-size: 13px; color: var(--dim); white-space: nowrap; }
thead th { border-top: 0; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tfoot th, tfoot td { border-top: 2px solid var(--line); font-weight: 600; color: var(--text); font-size: 14px; }
a { color: inherit; text-decoration-color: var(--dim); text-underline-offset: 2px; } a:hover { color: var(--link); }
td code { display: block; color: var(--dim); }
td ul { margin: 0; padding: 0; list-style: none; }
details { background: var(--card); border: 1px solid var(--line); margin: 8px 0; }
details table { border-width: 1px 0 0; }
summary { padding: 8px 12px; cursor: pointer; overflow-wrap: anywhere; }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
details p { padding: 0 12px 6px; font-size: 14px; overflow-wrap: anywhere; }
footer { margin-top: 48px; color: var(--dim); font-size: 13px; }
@media (max-width: 1000px) { svg.map .broad { display: none; } }
@media (max-width: 640px) {
  main { padding: 18px 12px 40px; } h1 { font-size: 21px; } svg.map { height: 460px; }
  .wide thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .wide tr { display: block; padding: 8px 0; border-top: 1px solid var(--line); } .wide tbody tr:first-child { border-top: 0; }
  .wide td, .wide tfoot th { display: block; border: 0; padding: 1px 10px; text-align: left; }
  .wide td[data-name]::before { content: attr(data-name) ": "; color: var(--dim); }
  .wide td[data-name] > ul { display: inline-block; vertical-align: top; }
}
@media print {
  @page { margin: 14mm 12mm; }
  :root { color-scheme: light; --page: #fff; --card: #fff; --text: #000; --dim: #444; --line: #bbb; --good: #17692f; --bad: #b3261e;
    --layer: #bcd4f1; --shared: #f3c27c; --chart: #b3e0c0; --file: #dcc7ec; --rest: #dfe1e5; --ink: #000; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; } svg.map { height: 380px; }
  svg.map, .legend i { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  table { font-size: 9pt; } tr, summary, svg.map { break-inside: avoid; } h2, summary { break-after: avoid; } thead { display: table-header-group; }
  details::details-content { content-visibility: visible; height: auto; } #tip, .screen { display: none; }
}
`;
