/** Without it the page is whole: boxes have titles of their own. With it: tips by mouse and keys, and all open on paper. */
export const PAGE_SCRIPT = `
'use strict';
(() => {
  const box = document.querySelector('.mapbox');
  if (box) {
    const areas = [...box.querySelectorAll('.area')];
    const tip = document.getElementById('tip');
    for (const area of areas) {
      const title = area.querySelector('title');
      area.dataset.tip = title.textContent;
      title.remove();
    }
    const show = (area) => {
      tip.textContent = area.dataset.tip;
      tip.hidden = false;
      const outer = box.getBoundingClientRect();
      const inner = area.getBoundingClientRect();
      const left = Math.min(inner.left - outer.left + 8, outer.width - tip.offsetWidth - 4);
      const below = inner.top - outer.top + Math.min(inner.height, 40) + 6;
      tip.style.left = Math.max(4, left) + 'px';
      tip.style.top = below + 'px';
    };
    const hide = () => { tip.hidden = true; };
    const areaOf = (event) => event.target.closest('.area');
    box.addEventListener('mouseover', (event) => { const area = areaOf(event); if (area) show(area); else hide(); });
    box.addEventListener('mouseleave', hide);
    box.addEventListener('focusin', (event) => { const area = areaOf(event); if (area) show(area); });
    box.addEventListener('focusout', hide);
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    box.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') hide();
      const at = areas.indexOf(areaOf(event));
      if (at < 0 || !(event.key in steps)) return;
      event.preventDefault();
      const next = areas[Math.max(0, Math.min(areas.length - 1, at + steps[event.key]))];
      areas[at].setAttribute('tabindex', '-1');
      next.setAttribute('tabindex', '0');
      next.focus();
    });
  }
  addEventListener('beforeprint', () => { for (const part of document.querySelectorAll('details')) part.open = true; });
})();
`;
