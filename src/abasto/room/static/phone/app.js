// What the page knows while it is open, kept in the store: the sheet, the token, the site, and the reports.

import { makeSender } from "./sending.js";
import { newRecord } from "./reports.js";
import { openStore } from "./store.js";
import { dayAfter, daysBetween, isoDay, knowLanguages, speak, wantedLanguage } from "./words.js";

const SHEET_AGE = 300000;
const SHEET_PAUSE = 30000;
const SHEET_DELAY = 3000;
const KEPT_RECEIVED = 200;

export const app = {
  given: null, store: null, sheet: null, joined: null, site: "", records: [], bar: "", sender: null,
  listeners: [], channel: null,
};

export function isFile() {
  return app.given.mode === "file";
}

export async function startApp(given) {
  app.given = given;
  knowLanguages(given.languages);
  speak(wantedLanguage(given.language));
  app.store = await openStore(isFile() ? "abasto-file-" + given.sheet.network : "abasto-phone");
  app.joined = (await app.store.kept("joined")) || null;
  app.site = (await app.store.kept("site")) || "";
  const chosen = (await app.store.kept("language")) || (app.joined && app.joined.language);
  if (chosen) speak(chosen);
  await takeSheet(isFile() ? given.sheet : await app.store.kept("sheet"));
  if (isFile() && !(await app.store.kept("copy"))) await app.store.keep("copy", "file-" + newRecord({}, 0).id);
  app.copy = (await app.store.kept("copy")) || "";
  app.sender = makeSender({
    store: app.store,
    token: () => (app.joined ? app.joined.token : ""),
    phone: () => phoneId(),
    changed: changed,
    barred: (message) => bar(message),
    reached: () => reached(),
    missed: () => undefined,
  });
  if (typeof BroadcastChannel === "function") {
    app.channel = new BroadcastChannel("abasto");
    app.channel.onmessage = () => reread();
  }
  if (isFile()) await markReceived(given.sheet.received);
  await prune();
  await reread();
}

export function phoneId() {
  if (isFile()) return app.copy;
  return app.joined ? app.joined.phone : "";
}

export function onChange(listener) {
  app.listeners.push(listener);
}

// Read the reports anew and tell whoever shows them; other tabs hear of it too.
export async function changed() {
  if (app.channel) app.channel.postMessage("changed");
  await reread();
}

async function reread() {
  app.records = await app.store.all();
  app.joined = (await app.store.kept("joined")) || null;
  // Nothing is drawn anew for nothing: somebody may be about to press what would be replaced.
  const seen = JSON.stringify([app.records, app.joined, app.bar, app.sheet && app.sheet.made_at]);
  if (seen === lastSeen) return;
  lastSeen = seen;
  for (const listener of app.listeners) listener();
}

export function unsent() {
  return app.records.filter((record) => record.state !== "received");
}

export function asked() {
  return app.records.filter((record) => record.state === "doubtful" || record.state === "refused");
}

export async function save(said) {
  const seq = 1 + app.records.reduce((most, record) => Math.max(most, record.seq), 0);
  const record = newRecord(said, seq);
  await app.store.add(record);
  await changed();
  if (!isFile()) app.sender.hurry();
  return record;
}

export async function removeReport(id) {
  await app.store.remove(id);
  await changed();
}

export async function changeReport(id, how) {
  await app.store.change(id, how);
  await changed();
  if (!isFile()) app.sender.hurry();
}

async function bar(message) {
  app.bar = message;
  await changed();
}

// The room has answered. After what was sent its figures are others.
function reached() {
  app.bar = "";
  clearTimeout(sheetTimer);
  sheetTimer = setTimeout(() => refreshSheet(Date.now() - sheetAsked > SHEET_PAUSE), SHEET_DELAY);
}

// Today is the room's day, moved on by this phone's clock: a wrong clock does not matter, only how long ago it was.
export function today() {
  const sheet = app.sheet;
  if (!sheet || !sheet.taken_on) return isoDay(new Date());
  return dayAfter(sheet.day, Math.max(0, daysBetween(sheet.taken_on, isoDay(new Date()))));
}

export function site() {
  const sites = app.sheet ? app.sheet.sites : [];
  return sites.find((one) => one.id === app.site) || (sites.length === 1 ? sites[0] : null);
}

export async function chooseSite(id) {
  app.site = id;
  await app.store.keep("site", id);
}

export async function chooseLanguage(code) {
  speak(code);
  await app.store.keep("language", code);
}

async function takeSheet(sheet) {
  if (!sheet) return;
  // A file was made on some day of the room; how that day stood to the calendar then is how it stands now.
  if (!sheet.taken_on) sheet.taken_on = isFile() ? sheet.made_at.slice(0, 10) : isoDay(new Date());
  app.sheet = sheet;
}

let lastSeen = "";
let sheetAsked = 0;
let sheetTimer = 0;

// Ask for a new sheet if the one that is here is old, or at once.
export async function refreshSheet(atOnce) {
  if (isFile() || !app.joined) return;
  if (!atOnce && app.sheet && Date.now() - sheetAsked < SHEET_AGE) return;
  sheetAsked = Date.now();
  try {
    const { status, said } = await app.sender.call("/api/sheet");
    if (status === 200 && said && Array.isArray(said.sites)) {
      delete said.taken_on;
      await takeSheet(said);
      await app.store.keep("sheet", app.sheet);
      app.bar = "";
      await changed();
    } else if (status === 401 || status === 403) {
      await bar(String(said.error || ""));
    }
  } catch (error) {
    sheetAsked = 0;
  }
}

// Join with a code from the room; returns what went wrong, or nothing.
export async function join(code) {
  const { status, said } = await app.sender.call("/api/join", { code });
  if (status !== 200 || !said || !said.token) return String((said && said.error) || status);
  await app.store.keep("joined", said);
  app.joined = said;
  app.bar = "";
  await chooseLanguage(said.language);
  await refreshSheet(true);
  await changed();
  app.sender.hurry();
  return "";
}

export async function leave() {
  await app.store.forget("joined");
  await app.store.forget("sheet");
  app.joined = null;
  app.sheet = null;
  app.bar = "";
  await changed();
}

async function markReceived(ids) {
  const known = new Set(ids);
  for (const record of await app.store.all()) {
    if (record.state !== "received" && known.has(record.id)) {
      await app.store.change(record.id, () => ({ state: "received", received_at: app.sheet.made_at }));
    }
  }
}

// What was received is kept for a look back, but not for ever.
async function prune() {
  const received = (await app.store.all()).filter((record) => record.state === "received");
  received.sort((a, b) => b.seq - a.seq);
  for (const record of received.slice(KEPT_RECEIVED)) await app.store.remove(record.id);
}

export async function exported(ids) {
  const given_at = new Date().toISOString();
  for (const id of ids) await app.store.change(id, () => ({ given_at }));
  await changed();
}
