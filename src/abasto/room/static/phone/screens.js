// The screens that lead to a form: home, sites, goods, orders; and joining and leaving.

import { app, asked, chooseLanguage, chooseSite, isFile, join, leave, phoneId, refreshSheet, site, today, unsent } from "./app.js";
import { bdi, button, drawing, el, goodPicture, moveOn, showScreen, tell, tile } from "./dom.js";
import { figureWords, KINDS } from "./forms.js";
import { askedCard } from "./list.js";
import { backTo, barNotice, storageNotice } from "./notices.js";
import { dayWords, language, languages, momentWords, say } from "./words.js";

const MANY = 12;

function languageButtons() {
  return el("p", { class: "languages" }, languages().map((one) =>
    button(one.name, async () => {
      const kept = chooseLanguage(one.code);
      moveOn(location.hash, location.hash);
      await kept;
    }, { lang: one.code, "aria-pressed": String(one.code === language()) })));
}

export function showHome(moved) {
  if (!isFile() && !app.joined && !app.sheet) return showJoin("", moved);
  if (!app.sheet) return showWaiting(moved);
  const here = site();
  if (!here && app.sheet.sites.length) return showSites(moved);
  const orders = app.sheet.orders;
  const coming = here ? orders.filter((one) => one.to_site === here.id && one.to_receive.length).length : 0;
  const leaving = here ? orders.filter((one) => one.from_site === here.id && one.to_load.length) : [];
  const mayReport = isFile() || !app.joined || app.joined.role === "reporter";
  const tiles = mayReport && here ? [
    tile(drawing("count"), say("count"), "#count"),
    tile(drawing("receive"), [say("receive"), coming ? el("small", {}, say("on the way", { n: coming })) : ""], "#received"),
    tile(drawing("hand-out"), say("hand out"), "#handed out"),
    tile(drawing("need"), say("need"), "#need"),
    leaving.length ? tile(drawing("load"), say("load"), "#loaded") : null,
    tile(drawing("lost"), say("lost"), "#lost"),
    tile(drawing("problem"), say("problem"), "#problem"),
  ] : [];
  const several = app.sheet.sites.length > 1;
  showScreen(here ? bdi(here.name) : say("no site"), [
    several && el("p", {}, el("a", { href: "#site", class: "plain" }, say("other site"))),
    barNotice(),
    storageNotice(),
    asked().length ? el("div", {}, asked().map(askedCard)) : null,
    mayReport ? el("nav", { class: "tiles", "aria-label": say("what to report") }, tiles) : figuresList(here),
    el("footer", {}, levelLine(), reachedLine(), languageButtons(),
      el("p", {}, el("a", { href: "#about", class: "plain" }, say("this phone")))),
  ], { moved });
  return undefined;
}

// Joined, and the connection went before the figures of the room came.
function showWaiting(moved) {
  showScreen(say("this phone"), [
    barNotice(),
    el("p", {}, say("no figures")),
    button(say("new figures"), () => refreshSheet(true), { class: "first wide" }),
    languageButtons(),
  ], { moved });
}

// What this page can do, as it was opened here, and what it cannot.
function levelLine() {
  if (isFile()) return el("p", { class: "faint" }, say("file level", { day: dayWords(app.sheet.made_at.slice(0, 10), today()) }));
  const works = window.isSecureContext && "serviceWorker" in navigator;
  return el("p", { class: "faint" }, say(works ? "offline level" : "open level"));
}

function reachedLine() {
  if (isFile() || !app.sheet) return null;
  return el("p", { class: "faint" }, say("figures of", { time: momentWords(app.sheet.made_at) }));
}

function figuresList(here) {
  const known = here ? app.sheet.figures.filter((one) => one.site === here.id && one.stock) : [];
  return el("ul", { class: "rows" }, known.map((figure) => {
    const good = app.sheet.goods.find((one) => one.id === figure.good);
    return good && el("li", { class: "row" }, goodPicture(good), bdi(good.name), el("small", {}, figureWords(figure, good.units[0])));
  }));
}

export function showSites(moved) {
  const sites = app.sheet ? app.sheet.sites : [];
  const list = el("ul", { class: "rows" }, sites.map((one) => el("li", {}, button("", async () => {
    const kept = chooseSite(one.id);
    moveOn(location.hash, "");
    await kept;
  }, { class: "row wide", "data-name": one.name }))));
  list.querySelectorAll("button").forEach((node) => node.append(bdi(node.dataset.name)));
  showScreen(say("which site"), [sites.length > MANY && search(list), list, barNotice()], { back: site() && backTo(), moved });
}

// A long list is narrowed by a few letters.
function search(list) {
  const input = el("input", { type: "search", class: "search", "aria-label": say("search"), placeholder: say("search"), dir: "auto" });
  const plain = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  input.addEventListener("input", () => {
    for (const item of list.children) item.hidden = plain(item.textContent).indexOf(plain(input.value)) < 0;
  });
  return input;
}

export function showGoods(kind, moved) {
  const here = site();
  const goods = goodsInOrder(here, kind);
  const done = new Set(app.records.filter((one) => one.report.kind === kind && one.report.date === today() &&
    one.report.site === here.id).map((one) => one.report.good));
  const list = el("div", { class: "tiles" }, goods.map((good) =>
    tile(goodPicture(good), [bdi(good.name), done.has(good.id) && kind === "count" &&
      el("small", { class: "done" }, "✓ " + say("counted today"))], "#" + kind + "/" + encodeURIComponent(good.id))));
  const orders = kind === "received" ? orderTiles("arrived", app.sheet.orders.filter((one) => one.to_site === here.id && one.to_receive.length)) : [];
  showScreen(say(KINDS[kind].key), [
    orders.length ? el("h2", {}, say("by order")) : null,
    orders.length ? el("div", { class: "orders" }, orders) : null,
    orders.length ? el("h2", {}, say("from elsewhere")) : null,
    goods.length > MANY && search(list),
    goods.length ? list : el("p", {}, say("no goods")),
  ], { back: backTo(), moved });
}

// What the site has or needs comes first.
function goodsInOrder(here, kind) {
  const known = new Map(app.sheet.figures.filter((one) => one.site === here.id).map((one) => [one.good, one]));
  const rank = (good) => {
    const figure = known.get(good.id);
    if (!figure) return 2;
    return (kind === "need" ? figure.need || figure.ration : figure.stock) ? 0 : 1;
  };
  return app.sheet.goods.slice().sort((a, b) => rank(a) - rank(b));
}

function orderTiles(kind, orders) {
  return orders.map((order) => {
    const lines = kind === "loaded" ? order.to_load : order.to_receive;
    const goods = lines.map((line) => app.sheet.goods.find((one) => one.id === line.good)).filter(Boolean);
    const way = kind === "loaded" ? say("to site", { site: order.to_name }) : say("from site", { site: order.from_name });
    const day = dayWords(kind === "loaded" ? order.departs : order.arrives, today());
    return el("a", { class: "tile order", href: "#" + kind + "/" + order.code },
      el("span", { class: "pictures" }, goods.slice(0, 3).map(goodPicture)),
      el("span", { class: "tile-text" }, way, el("small", {}, day + " · " + order.code)));
  });
}

export function showOrders(kind, moved) {
  const here = site();
  const orders = app.sheet.orders.filter((one) => one.from_site === here.id && one.to_load.length);
  showScreen(say("load"), [orders.length ? el("div", { class: "orders" }, orderTiles(kind, orders)) : el("p", {}, say("no orders"))],
    { back: backTo(), moved });
}

export function showJoin(code, moved) {
  const input = el("input", { id: "code", type: "text", class: "code", autocomplete: "off", autocapitalize: "characters",
    spellcheck: "false", maxlength: "20", value: code || "", dir: "ltr", enterkeyhint: "go" });
  const trouble = el("p", { class: "trouble", role: "alert" });
  const submit = el("button", { type: "submit", class: "first wide" }, say("join"));
  async function go(event) {
    if (event) event.preventDefault();
    if (!input.value.trim()) {
      trouble.textContent = say("write the code");
      input.focus();
      return;
    }
    submit.disabled = true;
    trouble.textContent = "";
    const from = location.hash;
    try {
      const wrong = await join(input.value.trim());
      if (wrong) {
        trouble.textContent = wrong;
        input.focus();
      } else {
        tell(say("joined"));
        moveOn(from, "");
      }
    } catch (error) {
      trouble.textContent = say("no connection");
    }
    submit.disabled = false;
  }
  showScreen(say("join the network"), [
    barNotice(),
    storageNotice(),
    el("form", { novalidate: true, on: { submit: go } }, el("label", { for: "code", class: "question" }, say("code from the room")),
      input, trouble, submit),
    unsent().length ? el("p", {}, el("a", { href: "#reports", class: "plain" }, say("reports here"))) : null,
    languageButtons(),
  ], { back: app.joined && backTo(), moved });
  if (code && !app.joined) go();
}

export function showAbout(moved) {
  const joined = app.joined;
  const rows = [
    [say("network"), app.sheet && app.sheet.name],
    [say("sites"), app.sheet && app.sheet.sites.map((one) => one.name).join(", ")],
    [say("phone"), joined && joined.label],
    [say("ends"), joined && joined.ends && dayWords(joined.ends.slice(0, 10), today())],
    [say("sign"), phoneId()],
  ].filter((row) => row[1]);
  showScreen(say("this phone"), [
    el("dl", {}, rows.map((row) => [el("dt", {}, row[0]), el("dd", {}, bdi(row[1]))])),
    el("p", {}, say("kept in " + app.store.kind)),
    !isFile() && joined && button(say("new figures"), async () => {
      await refreshSheet(true);
      tell(app.bar || say("figures of", { time: momentWords(app.sheet.made_at) }));
    }, { class: "wide" }),
    !isFile() && el("p", {}, el("a", { href: "#join", class: "button" }, say("join again"))),
    !isFile() && joined && el("details", { class: "more" }, el("summary", {}, say("leave")), el("p", {}, say("leave what")),
      button(say("yes leave"), async () => {
        const from = location.hash;
        await leave();
        moveOn(from, "#join");
      }, { class: "bad" })),
  ], { back: backTo(), moved });
}
