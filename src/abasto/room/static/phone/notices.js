// What stands above a screen's content: the way back, and what whoever holds the phone has to know.

import { app } from "./app.js";
import { el } from "./dom.js";
import { say } from "./words.js";

export function backTo(hash) {
  return el("a", { class: "back", href: hash || "#", "aria-label": say("back") }, el("span", { "aria-hidden": "true" }, "‹"));
}

export function barNotice() {
  if (!app.bar) return null;
  return el("div", { class: "notice bad", role: "alert" }, el("p", {}, app.bar), el("p", {}, say("reports stay")),
    el("p", {}, el("a", { href: "#join", class: "button" }, say("join again")), " ",
      el("a", { href: "#give", class: "button" }, say("give away"))));
}

export function storageNotice() {
  if (app.store.kind !== "memory") return null;
  return el("div", { class: "notice bad", role: "alert" }, say("keeps nothing"));
}
