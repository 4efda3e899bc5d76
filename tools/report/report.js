(() => {
'use strict';
const SVG = 'http://www.w3.org/2000/svg';
const root = document.documentElement;
const find = (id) => document.getElementById(id);
// What would turn the direction of writing, or control anything, is shown as a replacement.
const clean = (text) =>
  String(text).replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
const make = (name, attributes, parent) => {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (parent) parent.appendChild(element);
  return element;
};
const write = (parent, x, y, text, anchor, cls) => {
  const element = make('text', {x, y, 'text-anchor': anchor, class: cls || ''}, parent);
  element.textContent = text;
};

// Light and dark.
const theme = find('theme');
const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark'
                                        : matchMedia('(prefers-color-scheme: dark)').matches;
const nameTheme = () => {
  theme.querySelector('b').textContent = isDark() ? '\u2600' : '\u263e';
  theme.setAttribute('aria-label', isDark() ? 'Light colors' : 'Dark colors');
  theme.querySelector('span').textContent = isDark() ? ' Light' : ' Dark';
};
theme.hidden = false;
theme.addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  nameTheme();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', nameTheme);
nameTheme();

// Numbers.
const short = (v) => {
  const a = Math.abs(v);
  if (a >= 1e4 && a < 1e6) return +(v / 1e3).toPrecision(4) + 'k';
  if (a >= 1e6 && a < 1e9) return +(v / 1e6).toPrecision(4) + 'M';
  return a !== 0 && (a < 1e-4 || a >= 1e9) ? v.toExponential(2).replace(/\.?0+e/, 'e') : String(+v.toPrecision(4));
};
const ticks = (low, high, about) => {
  const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough)), digit = rough / power;
  const step = power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10), found = [];
  if (!(step > 0) || !isFinite(step)) return found;
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && found.length < 100; ++i) found.push(i * step);
  return found;
};
const logTicks = (low, high) => {
  const found = [], first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const apart = Math.max(1, Math.trunc((last - first) / 8)), fine = Math.log10(high / low) < 2;
  for (let p = first; p <= last; p += apart)
    for (const digit of fine ? [1, 2, 5] : [1]) {
      const tick = digit * 10 ** p;
      if (tick >= low && tick <= high) found.push(tick);
    }
  return found;
};
// The mean of what came before, each step back weighing `weight` times as much as the one behind
// it; divided by the sum of weights, so that it begins where the line begins.
const smoothed = (ys, weight) => {
  let sum = 0, weights = 0;
  return ys.map((y) => {
    if (y === null) return null;
    sum = sum * weight + y;
    weights = weights * weight + 1;
    return sum / weights;
  });
};

const view = {weight: 0, log: false};

class Plot {
  constructor(place, spec) {
    this.place = place;
    this.spec = spec;
    this.hidden = new Set();
    this.zoom = null;
    this.cursor = null;
    place.textContent = '';
    place.tabIndex = 0;
    place.setAttribute('role', 'application');
    place.setAttribute('aria-roledescription', 'chart');
    place.setAttribute('aria-label', clean(spec.title) + '. Arrow keys read values, plus and minus zoom, 0 shows all.');
    this.tip = document.createElement('div');
    this.tip.className = 'tip';
    this.tip.hidden = true;
    this.tip.setAttribute('role', 'status');
    this.legend();
    this.listen();
    this.draw();
  }

  legend() {
    const drawn = this.spec.lines.concat(this.spec.bands);
    if (drawn.length < 2 && !drawn.some((line) => line.name !== this.spec.title)) return;
    const list = document.createElement('ul');
    list.className = 'legend';
    for (const line of drawn) {
      const item = document.createElement('li'), button = document.createElement('button');
      button.type = 'button';
      button.className = 'c' + line.c;
      button.setAttribute('aria-pressed', 'true');
      const sample = make('svg', {viewBox: '0 0 26 10', 'aria-hidden': 'true'}, button);
      if (line.style === 'dots') make('circle', {cx: 13, cy: 5, r: 4, class: 'dot'}, sample);
      else make('path', {d: 'M1 5H25', class: 'line ' + (line.low ? 'wide' : line.style)}, sample);
      const name = document.createElement('span');
      name.textContent = clean(line.name);
      button.appendChild(name);
      button.addEventListener('click', () => {
        const shown = this.hidden.delete(line) || !this.hidden.add(line);
        button.setAttribute('aria-pressed', String(shown));
        this.draw();
      });
      item.appendChild(button);
      list.appendChild(item);
    }
    this.place.after(list);
  }

  lines() { return this.spec.lines.filter((line) => !this.hidden.has(line)); }
  bands() { return this.spec.bands.filter((band) => !this.hidden.has(band)); }

  ranges() {
    const spec = this.spec, log = spec.log || (spec.smooth && view.log);
    let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
    const takeX = (x) => { if (x !== null) { x0 = Math.min(x0, x); x1 = Math.max(x1, x); } };
    for (const line of this.lines().concat(this.bands())) line.x.forEach(takeX);
    if (spec.xr) [x0, x1] = spec.xr;
    if (this.zoom) [x0, x1] = this.zoom;
    const takeY = (x, y) => {
      if (y === null || x === null || x < x0 || x > x1 || (log && y <= 0)) return;
      y0 = Math.min(y0, y);
      y1 = Math.max(y1, y);
    };
    for (const line of this.lines()) line.x.forEach((x, i) => takeY(x, line.y[i]));
    for (const band of this.bands()) band.x.forEach((x, i) => { takeY(x, band.low[i]); takeY(x, band.high[i]); });
    if (spec.yr) [y0, y1] = spec.yr;
    if (!(x0 <= x1)) [x0, x1] = [0, 1];
    if (x0 === x1) [x0, x1] = [x0 - 1, x1 + 1];
    if (!(y0 <= y1)) [y0, y1] = log ? [.1, 1] : [0, 1];
    if (y0 === y1) [y0, y1] = log ? [y0 / 2, y1 * 2] : [y0 - (Math.abs(y0) * .1 || 1), y1 + (Math.abs(y1) * .1 || 1)];
    else if (!spec.yr) {
      const by = log ? (y1 / y0) ** .04 : (y1 - y0) * .04;
      [y0, y1] = log ? [y0 / by, y1 * by] : [y0 - by, y1 + by];
    }
    return {x0, x1, y0, y1, log};
  }

  draw() {
    const spec = this.spec, width = Math.max(240, this.place.clientWidth), height = Math.round(Math.min(300, Math.max(220, width * .5)));
    const r = this.ranges(), left = 50, right = width - 12, top = 22, bottom = height - 36;
    this.x = (v) => left + (v - r.x0) / (r.x1 - r.x0) * (right - left);
    this.y = (v) => bottom - (r.log ? Math.log(v / r.y0) / Math.log(r.y1 / r.y0) : (v - r.y0) / (r.y1 - r.y0)) * (bottom - top);
    this.back = (px) => r.x0 + (px - left) / (right - left) * (r.x1 - r.x0);
    Object.assign(this, {left, right, top, bottom, width, height, range: r});
    const svg = make('svg', {viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true'});
    const clip = 'clip' + Plot.count++;
    make('rect', {x: left, y: top - 2, width: right - left, height: bottom - top + 4}, make('clipPath', {id: clip}, make('defs', {}, svg)));
    for (const tick of r.log ? logTicks(r.y0, r.y1) : ticks(r.y0, r.y1, 5)) {
      const at = this.y(tick).toFixed(1);
      make('path', {class: 'grid-line', d: `M${left} ${at}H${right}`}, svg);
      write(svg, left - 6, +at + 4, short(tick), 'end');
    }
    for (const tick of ticks(r.x0, r.x1, Math.max(3, width / 90)))
      if (!spec.whole || Number.isInteger(tick)) write(svg, this.x(tick).toFixed(1), bottom + 16, short(tick), 'middle');
    make('path', {class: 'axis', d: `M${left} ${top}V${bottom}H${right}`}, svg);
    write(svg, right, bottom + 31, clean(spec.x), 'end');
    write(svg, 4, 13, clean(spec.y), 'start');
    const area = make('g', {'clip-path': `url(#${clip})`}, svg);
    if (spec.diagonal) make('path', {class: 'axis dashed', d: `M${this.x(r.x0)} ${this.y(r.x0)}L${this.x(r.x1)} ${this.y(r.x1)}`}, area);
    for (const band of this.bands()) {
      const there = [], back = [];
      band.x.forEach((x, i) => {
        if (band.low[i] === null || band.high[i] === null) return;
        there.push(this.x(x).toFixed(1) + ' ' + this.y(band.high[i]).toFixed(1));
        back.unshift(this.x(x).toFixed(1) + ' ' + this.y(band.low[i]).toFixed(1));
      });
      if (there.length) make('path', {class: 'band', d: 'M' + there.concat(back).join('L') + 'Z'}, make('g', {class: 'c' + band.c}, area));
    }
    for (const line of this.lines()) {
      const group = make('g', {class: 'c' + line.c}, area);
      if (line.style === 'dots') {
        line.x.forEach((x, i) => {
          if (line.y[i] !== null && x !== null && (!r.log || line.y[i] > 0)) make('circle', {class: 'dot', r: 3, cx: this.x(x).toFixed(1), cy: this.y(line.y[i]).toFixed(1)}, group);
        });
      } else if (spec.smooth && view.weight > 0) {
        make('path', {class: 'line faint', d: this.path(line.x, line.y)}, group);
        make('path', {class: 'line ' + line.style, d: this.path(line.x, smoothed(line.y, view.weight))}, group);
      } else {
        make('path', {class: 'line ' + line.style, d: this.path(line.x, line.y)}, group);
      }
    }
    this.marks = make('g', {}, svg);
    this.place.replaceChildren(svg, this.tip);
    this.show();
  }

  path(xs, ys) {
    let d = '', pen = 'M';
    for (let i = 0; i < xs.length; ++i) {
      if (ys[i] === null || xs[i] === null || (this.range.log && ys[i] <= 0)) { pen = 'M'; continue; }
      d += pen + this.x(xs[i]).toFixed(1) + ' ' + this.y(ys[i]).toFixed(1);
      pen = 'L';
    }
    return d;
  }

  // Values at the point of any line that is nearest to the cursor.
  show() {
    this.marks.replaceChildren();
    this.tip.hidden = true;
    if (this.cursor === null) return;
    let at = null;
    for (const line of this.lines()) {
      for (const x of line.x)
        if (x !== null && x >= this.range.x0 && x <= this.range.x1 && (at === null || Math.abs(x - this.cursor) < Math.abs(at - this.cursor))) at = x;
    }
    if (at === null) return;
    const px = this.x(at);
    make('path', {class: 'axis', d: `M${px} ${this.top}V${this.bottom}`}, this.marks);
    this.tip.textContent = '';
    const head = document.createElement('b');
    head.textContent = clean(this.spec.x) + ' ' + short(at);
    this.tip.appendChild(head);
    for (const line of this.lines()) {
      const i = line.x.indexOf(at);
      if (i < 0 || line.y[i] === null) continue;
      const row = document.createElement('div'), value = document.createElement('i');
      value.className = 'c' + line.c;
      value.textContent = String(+line.y[i].toPrecision(5));
      row.append(value, ' ' + clean(line.name));
      this.tip.appendChild(row);
      if (!this.range.log || line.y[i] > 0) make('circle', {class: 'dot c' + line.c, r: 4, cx: px, cy: this.y(line.y[i])}, this.marks);
    }
    this.tip.hidden = false;
    const scale = this.place.clientWidth / this.width, w = this.tip.offsetWidth;
    this.tip.style.left = Math.max(0, px * scale + 12 + w > this.place.clientWidth ? px * scale - 12 - w : px * scale + 12) + 'px';
    this.tip.style.top = this.top * scale + 'px';
  }

  // Left and right to the next point of the line that has most.
  step(by) {
    const xs = this.lines().reduce((most, line) => line.x.length > most.length ? line.x : most, []);
    const inside = xs.filter((x) => x !== null && x >= this.range.x0 && x <= this.range.x1);
    if (!inside.length) return;
    let i = 0;
    if (this.cursor !== null) {
      inside.forEach((x, j) => { if (Math.abs(x - this.cursor) < Math.abs(inside[i] - this.cursor)) i = j; });
      i = Math.min(inside.length - 1, Math.max(0, i + by));
    }
    this.cursor = inside[i];
    this.show();
  }

  setZoom(range) {
    this.zoom = range && range[1] > range[0] ? range : null;
    this.draw();
  }

  zoomBy(factor) {
    const r = this.range, middle = this.cursor === null ? (r.x0 + r.x1) / 2 : this.cursor;
    this.setZoom([middle - (middle - r.x0) * factor, middle + (r.x1 - middle) * factor]);
  }

  listen() {
    const at = (event) => (event.clientX - this.place.getBoundingClientRect().left) * this.width / this.place.clientWidth;
    let from = null;
    this.place.addEventListener('pointermove', (event) => {
      const px = at(event);
      this.cursor = this.back(px);
      this.show();
      if (from === null) return;
      const a = Math.min(from, px), b = Math.max(from, px);
      make('rect', {class: 'pick', x: a, y: this.top, width: b - a, height: this.bottom - this.top}, this.marks);
    });
    this.place.addEventListener('pointerdown', (event) => { if (event.pointerType === 'mouse' && event.button === 0) from = at(event); });
    addEventListener('pointerup', (event) => {
      if (from === null) return;
      const a = Math.min(from, at(event)), b = Math.max(from, at(event));
      from = null;
      if (b - a > 8) this.setZoom([this.back(Math.max(a, this.left)), this.back(Math.min(b, this.right))]);
    });
    this.place.addEventListener('pointerleave', () => { this.cursor = null; this.show(); });
    this.place.addEventListener('blur', () => { this.cursor = null; this.show(); });
    this.place.addEventListener('dblclick', () => this.setZoom(null));
    this.place.addEventListener('keydown', (event) => {
      const keys = {ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1), '+': () => this.zoomBy(.6),
                    '=': () => this.zoomBy(.6), '-': () => this.zoomBy(1 / .6), '0': () => this.setZoom(null),
                    Escape: () => { this.cursor = null; this.show(); }};
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
  }
}
Plot.count = 0;

const specs = JSON.parse(find('charts').textContent);
const plots = [...document.querySelectorAll('.plot')].map((place) => new Plot(place, specs[+place.dataset.chart]));
if (window.ResizeObserver) {
  const watch = new ResizeObserver((entries) => {
    for (const entry of entries) {
      const plot = plots.find((each) => each.place === entry.target);
      if (plot && Math.abs(plot.width - Math.max(240, entry.target.clientWidth)) > 1) plot.draw();
    }
  });
  for (const plot of plots) watch.observe(plot.place);
}
const tools = find('tools');
if (tools) {
  tools.hidden = false;
  const redraw = () => plots.forEach((plot) => { if (plot.spec.smooth) plot.draw(); });
  find('smooth').addEventListener('input', (event) => { view.weight = +event.target.value; redraw(); });
  find('log').addEventListener('change', (event) => { view.log = event.target.checked; redraw(); });
  find('all').addEventListener('click', () => plots.forEach((plot) => { if (plot.zoom) plot.setZoom(null); }));
}

// A flame is zoomed by a click: the span takes the whole width, another click on it shows all.
for (const flame of document.querySelectorAll('.flame')) {
  const spans = [...flame.children].map((span) => ({span, begin: +span.dataset.b, share: +span.dataset.w}));
  let zoomed = null;
  for (const each of spans)
    each.span.addEventListener('click', () => {
      zoomed = zoomed === each ? null : each;
      const begin = zoomed ? each.begin : 0, share = zoomed ? each.share : 1;
      for (const other of spans) {
        const a = Math.max(0, (other.begin - begin) / share), b = Math.min(1, (other.begin + other.share - begin) / share);
        other.span.style.left = a * 100 + '%';
        other.span.style.width = Math.max(0, b - a) * 100 + '%';
        other.span.hidden = b <= a;
      }
    });
}

for (const button of document.querySelectorAll('button[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(find(button.dataset.copy).textContent).then(() => {
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    }, () => {});
  });
}

// Where one is.
const links = [...document.querySelectorAll('nav a')];
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const link of links) {
      if (link.hash === '#' + entry.target.id) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  }
}, {rootMargin: '-20% 0px -70% 0px'});
for (const section of document.querySelectorAll('section[id]')) seen.observe(section);
})();
