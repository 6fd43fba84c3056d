// My reports: each with what became of it; sent now, given away as a file or text, corrected, deleted one by one.

import { app, changeReport, exported, isFile, phoneId, removeReport, today, unsent } from "./app.js";
import { button, drawing, el, showScreen, tell } from "./dom.js";
import { asObject, asText, inOrder, pictureOf, reportWords } from "./reports.js";
import { backTo, barNotice, storageNotice } from "./notices.js";
import { isolated, momentWords, say } from "./words.js";

// What became of a report, never more than is known.
export function standing(record) {
  if (record.state === "received") return say("received at", { time: momentWords(record.received_at) });
  if (record.state === "refused") return say("not taken");
  if (record.state === "doubtful") return say("asked back");
  if (record.given_at) return say("given away at", { time: localTime(record.given_at) });
  return say("saved here");
}

function localTime(iso) {
  const moment = new Date(iso);
  const two = (n) => String(n).padStart(2, "0");
  return two(moment.getHours()) + ":" + two(moment.getMinutes());
}

function told(record) {
  const { what, said, when } = reportWords(record.report, app.sheet, today());
  return [drawing(pictureOf(record.report.kind)), el("div", { class: "told" }, el("b", {}, what, ": "),
    el("span", {}, said), el("br"), el("small", {}, when))];
}

// A report that the room asks about, or has not taken, with what can be done about it.
export function askedCard(record) {
  const isDoubtful = record.state === "doubtful";
  const words = el("p", { class: "question" }, record.message);
  const deed = isDoubtful
    ? button(say("it is right"), () => changeReport(record.id, (now) => ({ state: "saved", report: Object.assign({}, now.report, { sure: true }) })), { class: "first" })
    : null;
  return el("article", { class: "card " + (isDoubtful ? "doubtful" : "refused"), "data-id": record.id },
    el("p", { class: "mark" }, el("span", { "aria-hidden": "true" }, isDoubtful ? "? " : "! "), standing(record)),
    el("div", { class: "line" }, told(record)), words,
    el("p", { class: "deeds" }, deed,
      // With an entry the room has another report under this id: what is corrected would be refused again.
      record.entry ? null : el("a", { class: "button", href: "#correct/" + record.id }, say("correct it"))),
    isDoubtful ? null : deleteButton(record));
}

function deleteButton(record) {
  if (record.state === "received") return button(say("delete"), () => removeReport(record.id), { class: "plain" });
  return el("details", { class: "more" }, el("summary", {}, say("delete")), el("p", {}, say("delete unsent")),
    button(say("yes delete"), () => removeReport(record.id), { class: "bad" }));
}

function item(record) {
  if (record.state === "doubtful" || record.state === "refused") {
    const card = askedCard(record);
    if (record.state === "doubtful") card.append(deleteButton(record));
    return el("li", {}, card);
  }
  const mark = { received: "✓ ", saved: "● " }[record.state];
  return el("li", {}, el("article", { class: "card " + record.state, "data-id": record.id },
    el("p", { class: "mark" }, el("span", { "aria-hidden": "true" }, mark), standing(record)),
    el("div", { class: "line" }, told(record)),
    record.entry ? el("small", { class: "faint" }, say("entry code", { code: record.entry })) : null,
    el("p", { class: "deeds" }, deleteButton(record))));
}

export function showReports(moved) {
  const waiting = inOrder(unsent()).reverse();
  const received = inOrder(app.records.filter((record) => record.state === "received")).reverse();
  showScreen(say("my reports"), [
    barNotice(),
    storageNotice(),
    el("p", { class: "deeds" },
      !isFile() && app.joined && waiting.length ? button(say("send now"), sendNow, { class: "first" }) : null,
      app.records.length ? el("a", { class: "button", href: "#give" }, say("give away")) : null),
    el("h2", {}, say("not received", { n: waiting.length })),
    waiting.length ? el("ul", { class: "cards" }, waiting.map(item)) : el("p", {}, say("none waiting")),
    received.length ? el("h2", {}, say("received", { n: received.length })) : null,
    received.length ? el("ul", { class: "cards" }, received.map(item)) : null,
  ], { back: backTo(), moved });
}

async function sendNow() {
  await app.sender.hurry();
  if (app.bar) tell(app.bar, "bad");
  else if (app.records.some((record) => record.state === "saved")) tell(say("no connection"), "bad");
  else tell(say("sent now"));
}

// Carry the reports by any means: a file, or text for a message. They stay here until the room has them.
export function showGive(moved) {
  const records = inOrder(unsent().length ? unsent() : app.records);
  const network = app.sheet ? app.sheet.network : "";
  const text = asText(records, phoneId(), app.sheet, today());
  const area = el("textarea", { class: "away", readonly: true, rows: "8", dir: "auto", "aria-label": say("reports as text") });
  area.value = text;
  const ids = records.map((record) => record.id);
  showScreen(say("give away"), [
    storageNotice(),
    el("p", {}, say("give away how", { n: records.length })),
    el("p", { class: "deeds" },
      button(say("save as file"), () => {
        download(asObject(records, phoneId(), network), "abasto-" + network + "-" + today() + ".json");
        exported(ids);
      }, { class: "first" }),
      button(say("copy text"), async () => {
        const done = await copied(area);
        if (done) exported(ids);
        tell(say(done ? "text copied" : "copy by hand"), done ? "good" : "bad");
      }),
      typeof navigator.share === "function" ? button(say("share"), async () => {
        try {
          await navigator.share({ text });
          exported(ids);
        } catch (error) {
          // Whoever closes the choice has shared nothing.
        }
      }) : null),
    area,
    el("p", { class: "faint" }, say("give away harmless")),
  ], { back: backTo("#reports"), moved });
}

function download(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

// navigator.clipboard is there in secure contexts only; the old way works in the others.
async function copied(area) {
  try {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(area.value);
      return true;
    }
  } catch (error) {
    console.warn("copy:", error);
  }
  area.focus();
  area.select();
  return document.execCommand("copy");
}

export function statusLine() {
  const asked = app.records.filter((record) => record.state === "doubtful" || record.state === "refused").length;
  const waiting = app.records.filter((record) => record.state === "saved").length;
  if (asked) return { kind: "doubtful", text: say("to answer", { n: asked }) };
  if (waiting) return { kind: "saved", text: say("saved waiting", { n: waiting }) };
  const last = app.records.reduce((latest, record) => (record.received_at > latest ? record.received_at : latest), "");
  if (!last) return { kind: "none", text: say("my reports") };
  return { kind: "received", text: say("all received", { time: isolated(momentWords(last)) }) };
}
