// Elements, pictures and screens. Text is always set as text, and names that people gave stand in <bdi>.

export function el(tag, given, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, what] of Object.entries(value)) node.addEventListener(event, what);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  fill(node, children);
  return node;
}

function fill(node, children) {
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    if (Array.isArray(child)) fill(node, child);
    else node.append(child);
  }
}

export function bdi(text) {
  return el("bdi", {}, text);
}

export function button(text, what, given) {
  return el("button", Object.assign({ type: "button", on: { click: what } }, given), text);
}

export function drawing(name, given) {
  const place = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(place, "svg");
  svg.setAttribute("class", (given && given.class) || "picture");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(place, "use");
  use.setAttribute("href", "#p-" + name);
  svg.append(use);
  return svg;
}

// The picture of a good; a box has the good's first letters on it.
export function goodPicture(good) {
  const picture = el("span", { class: "good-picture", "aria-hidden": "true" }, drawing(good.picture));
  if (good.picture === "box") picture.append(el("span", { class: "letters" }, bdi(good.letters)));
  return picture;
}

export function tile(picture, text, href, given) {
  return el("a", Object.assign({ class: "tile", href }, given), picture, el("span", { class: "tile-text" }, text));
}

// Show a screen: its title gets the focus, so that a screen reader begins there and a keyboard goes on from there. A screen
// that is only drawn anew (`moved` is false) keeps the focus and what was opened.
export function showScreen(title, nodes, { back, moved } = {}) {
  const main = document.getElementById("main");
  const before = moved === false ? whereItIs(main) : null;
  const heading = el("h1", { tabindex: "-1", id: "title" }, title);
  main.textContent = "";
  main.append(el("div", { class: "head" }, back, heading), ...nodes.filter(Boolean));
  document.title = heading.textContent;
  if (before) {
    goBackTo(main, before);
    return;
  }
  window.scrollTo(0, 0);
  heading.focus({ preventScroll: true });
}

const FOCUSABLE = "a, button, summary, input, textarea, h1";

function whereItIs(main) {
  const focused = main.contains(document.activeElement) ? document.activeElement : null;
  return {
    focused: focused && { tag: focused.tagName, text: focused.textContent, card: cardOf(focused) },
    open: Array.from(main.querySelectorAll("details[open]")).map(cardOf),
  };
}

function cardOf(node) {
  const card = node.closest("[data-id]");
  return card ? card.dataset.id : "";
}

function goBackTo(main, { focused, open }) {
  for (const details of main.querySelectorAll("[data-id] details")) details.open = open.indexOf(cardOf(details)) >= 0;
  if (!focused) return;
  const same = Array.from(main.querySelectorAll(FOCUSABLE)).find(
    (node) => node.tagName === focused.tag && node.textContent === focused.text && cardOf(node) === focused.card,
  );
  (same || main.querySelector("h1")).focus({ preventScroll: true });
}

// Move on from a place to the next, which takes its place: whoever goes back wants what was before. Address and screen
// change in one turn, and whoever has gone elsewhere in the meantime is not fetched back.
export function moveOn(from, place) {
  if (location.hash !== from) return;
  history.replaceState(null, "", location.pathname + location.search + place);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

// Say something in passing; it is read out too. It goes after a while, and when another screen comes.
let telling = 0;

export function tell(text, kind) {
  const place = document.getElementById("said");
  const number = hush();
  place.className = kind || "good";
  // In the next turn, so that a text that is said twice is read out twice.
  setTimeout(() => {
    if (number === telling) place.textContent = text;
  }, 30);
  setTimeout(() => {
    if (number === telling) hush();
  }, 8000);
}

export function hush() {
  document.getElementById("said").textContent = "";
  telling += 1;
  return telling;
}
