// The page of a phone begins here: what the address names is shown, and what is saved is sent when it can be.

import { app, isFile, onChange, refreshSheet, site, startApp, today } from "./app.js";
import { drawing, el, hush } from "./dom.js";
import { KINDS, showOrder, showProblem, showQuantity } from "./forms.js";
import { showGive, showReports, statusLine } from "./list.js";
import { backTo } from "./notices.js";
import { goodOf } from "./reports.js";
import { showAbout, showGoods, showHome, showJoin, showOrders, showSites } from "./screens.js";
import { say } from "./words.js";

// A form that is open is left alone when reports change; lists are drawn anew.
let isForm = false;
let shownDay = "";

function route(moved) {
  const [name, rest] = decoded(location.hash.slice(1));
  isForm = false;
  shownDay = today();
  drawStatus();
  if (name.startsWith("join")) return joinBy(name.slice(5), moved);
  if (name === "reports") return showReports(moved);
  if (name === "give") return showGive(moved);
  if (name === "about") return showAbout(moved);
  if (name === "correct") return correct(rest);
  if (!app.sheet || (!site() && name !== "site")) return showHome(moved);
  if (name === "site") return showSites(moved);
  if (name === "problem") return openForm(() => showProblem({ back: backTo(), next: "" }));
  if (name === "loaded" && !rest) return showOrders("loaded", moved);
  if (name === "loaded" || name === "arrived") return orderForm(name, rest, null);
  if (KINDS[name] && rest) {
    const next = "#" + name;
    return openForm(() => showQuantity(name, goodOf(app.sheet, rest), { back: backTo(next), next: name === "count" ? next : "" }));
  }
  if (KINDS[name]) return showGoods(name, moved);
  return showHome(moved);
}

function decoded(hash) {
  const cut = hash.indexOf("/");
  const parts = cut < 0 ? [hash, ""] : [hash.slice(0, cut), hash.slice(cut + 1)];
  try {
    return parts.map(decodeURIComponent);
  } catch (error) {
    return ["", ""];
  }
}

function openForm(show) {
  isForm = true;
  show();
}

function joinBy(code, moved) {
  // The code does not stay in the address, where the next one to use this phone would find it.
  if (code) history.replaceState(null, "", location.pathname + location.search + "#join");
  if (isFile()) return showHome(moved);
  isForm = true;
  return showJoin(code, moved);
}

function orderForm(kind, code, record) {
  const order = app.sheet.orders.find((one) => one.code === code);
  if (!order) return record ? showReports() : showHome();
  const back = backTo(record ? "#reports" : kind === "loaded" ? "#loaded" : "#received");
  return openForm(() => showOrder(kind, order, { back, record, next: record ? "#reports" : "" }));
}

function correct(id) {
  const record = app.records.find((one) => one.id === id);
  if (!record) return showReports();
  const { kind, good, order } = record.report;
  if (kind === "loaded" || kind === "arrived") return app.sheet ? orderForm(kind, order, record) : showReports();
  const given = { back: backTo("#reports"), record, next: "#reports" };
  if (kind === "problem") return openForm(() => showProblem(given));
  return openForm(() => showQuantity(kind, goodOf(app.sheet, good), given));
}

function drawStatus() {
  const { kind, text } = statusLine();
  const place = document.getElementById("status");
  const link = el("a", { href: "#reports", class: "status " + kind }, drawing({ none: "list", saved: "saved", doubtful: "asked", received: "received" }[kind], { class: "small" }),
    el("span", {}, text));
  // Only what is new is put in, since a reader reads it out.
  if (place.textContent !== link.textContent || place.dataset.kind !== kind) {
    place.textContent = "";
    place.dataset.kind = kind;
    place.append(link);
  }
  document.getElementById("skip").textContent = say("to the content");
}

function redraw() {
  drawStatus();
  if (!isForm) route(false);
}

function wake() {
  if (isFile()) return;
  app.sender.hurry();
  refreshSheet(false);
  if (!isForm && shownDay !== today()) route(false);
}

async function start() {
  const given = JSON.parse(document.getElementById("given").textContent);
  await startApp(given);
  onChange(redraw);
  window.addEventListener("hashchange", () => route());
  // Whoever goes on has read what was said; what a form says by itself comes after the screen has changed.
  window.addEventListener("click", (event) => {
    if (event.target.closest && event.target.closest("a")) hush();
  });
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("title").focus();
  });
  route();
  document.documentElement.dataset.ready = "yes";
  if (isFile()) return;
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") wake();
  });
  setInterval(() => refreshSheet(false), 300000);
  if ("serviceWorker" in navigator && window.isSecureContext) {
    navigator.serviceWorker.register("/phone/sw.js", { scope: "/phone" }).catch((error) => console.warn("offline:", error));
  }
  // The browser may open the page for a week without asking; asked now, it has the present one the next time.
  else fetch("/phone", { cache: "no-cache" }).catch(() => undefined);
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
  wake();
}

start();
