// The map of sites and lanes, on a canvas and without tiles: nothing is asked of anybody. Each level of coverage has a
// shape of its own, the same as in the tables.

const { L } = globalThis;
const box = document.getElementById("map");
const LEAST = 6;
const MOST = 14;

// Corners of each level's shape around the middle; a level without corners is a circle.
const SHAPES = {
  0: [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
  1: [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]],
  2: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  3: [[-0.55, -1], [0.55, -1], [1.1, 0], [0.55, 1], [-0.55, 1], [-1.1, 0]],
};

const RING = 5;

const Mark = L.CircleMarker.extend({
  _updateBounds() {
    // Leaflet redraws no more than this box; corners and rings stand out of the circle that it knows of.
    const reach = this._radius * 1.2 + RING + 2 + this._clickTolerance();
    this._pxBounds = L.bounds(this._point.subtract([reach, reach]), this._point.add([reach, reach]));
  },
  _updatePath() {
    const { _renderer: canvas, _point: at, _radius: size } = this;
    if (!canvas._drawing || this._empty()) return;
    const context = canvas._ctx;
    context.beginPath();
    const corners = SHAPES[this.options.level];
    if (corners) for (const [x, y] of corners) context.lineTo(at.x + x * size, at.y + y * size);
    else context.arc(at.x, at.y, size, 0, Math.PI * 2);
    context.closePath();
    canvas._fillStroke(context, this);
    if (!this.options.ring) return;
    context.beginPath();
    context.arc(at.x, at.y, size + RING, 0, Math.PI * 2);
    context.strokeStyle = this.options.ring;
    context.lineWidth = 2;
    context.stroke();
  },
});

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colourOf = (level) => colour(level < 0 ? "--level-none" : `--level-${level}`);

function told(site) {
  const text = document.createElement("div");
  text.dir = "auto";
  const name = text.appendChild(document.createElement("strong"));
  name.textContent = site.name;
  for (const line of site.lines) text.appendChild(document.createElement("div")).textContent = line;
  return text;
}

const map = L.map(box, { preferCanvas: true, attributionControl: false, zoomControl: false, zoomSnap: 0.25, keyboard: true });
L.control.zoom({ zoomInTitle: box.dataset.in, zoomOutTitle: box.dataset.out }).addTo(map);
const drawn = L.layerGroup().addTo(map);
let isFitted = false;
let asking = null;

function lanesOf({ lanes }, at) {
  const most = Math.max(1, ...lanes.map(([, , tonnes]) => tonnes));
  for (const [from, to, tonnes] of lanes) {
    const line = L.polyline([at.get(from), at.get(to)], {
      color: colour(tonnes ? "--accent" : "--faint"), interactive: false,
      weight: tonnes ? 1.5 + 5 * Math.sqrt(tonnes / most) : 1, opacity: tonnes ? 0.7 : 0.4, dashArray: tonnes ? null : "2 5",
    });
    drawn.addLayer(line);
  }
}

function sitesOf({ sites }) {
  const most = Math.max(1, ...sites.map((site) => site.people));
  // The best served first, so that no alarm is hidden below another site.
  for (const site of [...sites].sort((a, b) => b.level - a.level)) {
    const mark = new Mark(site.at, {
      level: site.level, radius: LEAST + (MOST - LEAST) * Math.sqrt(site.people / most), color: colour("--paper"), weight: 1.5,
      fillColor: colourOf(site.level), fillOpacity: site.level < 0 ? 0.35 : 0.95, ring: site.alarms ? colour("--level-0") : null,
    });
    drawn.addLayer(mark.bindTooltip(told(site), { sticky: true }));
  }
}

async function draw() {
  asking?.abort();
  asking = new AbortController();
  const answer = await fetch("/map.json", { signal: asking.signal });
  if (!answer.ok) return;
  const data = await answer.json();
  if (!isFitted && data.sites.length) {
    map.fitBounds(data.sites.map((site) => site.at), { padding: [30, 30], maxZoom: 15, animate: false });
    isFitted = true;
  }
  if (!isFitted) return;
  drawn.clearLayers();
  lanesOf(data, new Map(data.sites.map((site) => [site.site, site.at])));
  sitesOf(data);
  box.dataset.sites = data.sites.length;
}

async function outline() {
  if (!box.dataset.boundaries) return;
  const answer = await fetch(box.dataset.boundaries);
  if (!answer.ok) return;
  const style = { color: colour("--faint"), weight: 1, fill: false, interactive: false };
  L.geoJSON(await answer.json(), { style, pointToLayer: () => null, interactive: false }).addTo(map).bringToBack();
}

const redraw = () => draw().catch((error) => { if (error.name !== "AbortError") throw error; });
for (const kind of ["journal", "planned"]) document.body.addEventListener(kind, redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
outline().catch(() => {}).finally(redraw);
