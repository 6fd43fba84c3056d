// Reports: made, told in words, and given away as a file or as text.

import { dayWords, isolated, language, numberWords, say } from "./words.js";

const PICTURE_OF_KIND = {
  count: "count", received: "receive", "handed out": "hand-out", lost: "lost", need: "need", problem: "problem",
  loaded: "load", arrived: "receive",
};
const KEY_OF_KIND = {
  count: "did count", received: "did receive", "handed out": "did hand out", lost: "did lose", need: "did need",
  problem: "did tell", loaded: "did load", arrived: "did arrive",
};
const LINE_WORDS = {
  es: { count: "HAY", received: "LLEGO", "handed out": "ENTREGUE", lost: "PERDI", loaded: "CARGUE ORDEN",
    arrived: "RECIBI ORDEN", none: "NO QUEDA", because: "POR", expires: "VENCE", more: "VIENE MAS", sure: "SI" },
  en: { count: "COUNTED", received: "RECEIVED", "handed out": "HANDED OUT", lost: "LOST", loaded: "LOADED ORDER",
    arrived: "RECEIVED ORDER", none: "NO", because: "BECAUSE", expires: "EXPIRES", more: "MORE TO COME", sure: "YES" },
};

// 128 random bits, without crypto.randomUUID, which is only there in secure contexts.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function newRecord(said, seq) {
  const id = newId();
  const report = Object.assign({}, said, { id, made_at: new Date().toISOString() });
  return { id, seq, report, state: "saved", message: "", received_at: "", entry: "", tried_as: [], given_at: "" };
}

// What is sent: the report, and as which other phones it may have been sent before.
export function wire(record, phone) {
  const earlier = record.tried_as.filter((id) => id !== phone).slice(-8);
  return Object.assign({}, record.report, { sent_as: earlier });
}

export function inOrder(records) {
  return records.slice().sort((a, b) => a.seq - b.seq || (a.report.made_at < b.report.made_at ? -1 : 1));
}

export function pictureOf(kind) {
  return PICTURE_OF_KIND[kind];
}

export function goodOf(sheet, id) {
  const known = sheet && sheet.goods.find((good) => good.id === id);
  return known || { id, name: id, line: '"' + id + '"', units: [], picture: "box", letters: id.slice(0, 2).toUpperCase() };
}

export function siteOf(sheet, id) {
  const known = sheet && sheet.sites.find((site) => site.id === id);
  return known || { id, name: id, line: '"' + id + '"' };
}

export function amountWords(quantity, unit, good) {
  const much = numberWords(quantity) + (unit ? " " + isolated(unit) : "");
  return say("amount", { quantity: much, good: good.name });
}

// A report in words: what happened, how much, where, and of which day.
export function reportWords(report, sheet, today) {
  const what = say(KEY_OF_KIND[report.kind]);
  const parts = [];
  if (report.good) parts.push(amountWords(report.quantity, report.unit, goodOf(sheet, report.good)));
  if (report.order) parts.push(say("order code", { code: report.order }));
  for (const line of report.lines || []) {
    parts.push(amountWords(line.quantity, line.unit, goodOf(sheet, line.good)));
  }
  if (report.kind === "arrived" && report.more_to_come) parts.push(say("more to come"));
  if (report.expires) parts.push(say("best by", { day: report.expires }));
  if (report.text) parts.push(isolated(report.text));
  const where = report.site ? isolated(siteOf(sheet, report.site).name) + ", " : "";
  return { what, said: parts.join(", "), when: where + dayWords(report.date, today) };
}

// What is given away: one object that says all, and for people a line for each report, which a text message can carry.
export function asObject(records, phone, network) {
  const reports = inOrder(records).map((record) => wire(record, phone));
  // The name comes first: it is how the object is found in a text.
  return JSON.stringify({ abasto: 1, network, phone, reports });
}

export function asText(records, phone, sheet, today) {
  const lines = inOrder(records).map((record) => messageLine(record.report, sheet) || spoken(record.report, sheet, today));
  // A brace begins the object, and nothing else in the text may.
  return lines.join("\n").replace(/\{/g, "(") + "\n\n" + asObject(records, phone, sheet ? sheet.network : "") + "\n";
}

function spoken(report, sheet, today) {
  const { what, said, when } = reportWords(report, sheet, today);
  return "# " + what + ": " + said + " (" + when + ")";
}

// The line of a text message that says a report, where messages can say it.
export function messageLine(report, sheet) {
  const words = LINE_WORDS[language()] || LINE_WORDS.en;
  if (report.kind === "need" || report.kind === "problem") return "";
  const sure = report.sure ? words.sure + " " : "";
  const begin = (report.site ? siteOf(sheet, report.site).line + ": " : "") + sure + report.date + " ";
  if (report.order) {
    const goods = (report.lines || []).map((line) => goodsLine(line, sheet, words)).join(", ");
    // A message that names one good has to name all; the object below says what is meant.
    if (goods && !report.more_to_come) return "";
    const more = report.more_to_come ? " " + words.more + ", " + goods : "";
    return begin + words[report.kind] + " " + report.order + more;
  }
  const lot = report.expires ? " " + words.expires + " " + report.expires : "";
  const cause = report.kind === "lost" && report.text ? " " + words.because + " " + report.text : "";
  const verb = Number(report.quantity) === 0 ? "" : words[report.kind] + " ";
  return begin + verb + goodsLine(report, sheet, words) + lot + cause;
}

function goodsLine(line, sheet, words) {
  const good = goodOf(sheet, line.good).line;
  if (Number(line.quantity) === 0) return words.none + " " + good;
  return good + " " + line.quantity + (line.unit ? " " + line.unit : "");
}
