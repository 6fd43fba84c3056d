// The outbox on its way: what is saved is sent until the room has answered for its id. Nothing leaves on a guess.

import { inOrder, wire } from "./reports.js";
import { language } from "./words.js";

const FIRST_WAIT = 3000;
const LONGEST_WAIT = 300000;
const PATIENCE = 30000;
const MOST_AT_ONCE = 50;

// `desk` is what the page gives: store, token(), phone(), changed(), barred(message), reached(), and path(name).
export function makeSender(desk) {
  const at = { running: false, again: false, wait: FIRST_WAIT, timer: 0, size: MOST_AT_ONCE };

  async function call(path, body) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PATIENCE);
    try {
      // The page's language, which may be another than the browser's: what the room answers is read on this page.
      const headers = { Authorization: "Bearer " + desk.token(), "Accept-Language": language() };
      if (body !== undefined) headers["Content-Type"] = "application/json";
      const answer = await fetch(path, {
        method: body === undefined ? "GET" : "POST",
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        // A redirect or a page of somebody else's network is no answer of the room.
        redirect: "error",
        cache: "no-store",
        credentials: "omit",
        signal: stop.signal,
      });
      return { status: answer.status, said: await answer.json(), after: Number(answer.headers.get("retry-after")) || 0 };
    } finally {
      clearTimeout(timer);
    }
  }

  async function sendSome() {
    const waiting = inOrder((await desk.store.all()).filter((record) => record.state === "saved")).slice(0, at.size);
    if (!waiting.length) return false;
    const phone = desk.phone();
    for (const record of waiting) {
      if (record.tried_as.indexOf(phone) < 0) {
        await desk.store.change(record.id, (now) => ({ tried_as: now.tried_as.concat(phone) }));
      }
    }
    const { status, said, after } = await call("/api/reports", { reports: waiting.map((one) => wire(one, phone)) });
    if (status === 200 && said && Array.isArray(said.answers)) {
      at.size = MOST_AT_ONCE;
      await take(waiting, said.answers);
      return true;
    }
    if (status === 401 || status === 403) {
      desk.barred(String(said.error || ""));
      return false;
    }
    if (status === 400 || status === 413 || status === 422) {
      // One that cannot be read keeps the others back: fewer at once, until it stands alone.
      if (waiting.length > 1) at.size = Math.max(1, Math.floor(waiting.length / 2));
      else await desk.store.change(waiting[0].id, () => ({ state: "refused", message: String(said.error || status) }));
      return true;
    }
    const trouble = new Error("answered " + status);
    trouble.after = after * 1000;
    throw trouble;
  }

  async function take(sent, answers) {
    const known = new Map(sent.map((record) => [record.id, record]));
    let taken = 0;
    for (const answer of answers) {
      const record = known.get(answer.id);
      if (!record) continue;
      taken += 1;
      const state = { stored: "received", known: "received", doubtful: "doubtful", refused: "refused" }[answer.status];
      if (!state) continue;
      await desk.store.change(answer.id, (now) => {
        // Confirmed in the meantime, or received by another tab: what is known already stands.
        if (now.state === "received" || now.report.sure !== record.report.sure) return {};
        return { state, message: answer.message, received_at: answer.received_at, entry: answer.entry };
      });
    }
    if (!taken) throw new Error("no answer to what was sent");
  }

  async function send() {
    if (!desk.token()) return;
    if (at.running) {
      at.again = true;
      return;
    }
    at.running = true;
    clearTimeout(at.timer);
    try {
      do {
        at.again = false;
        while (await sendSome()) {
          desk.reached();
          await desk.changed();
        }
      } while (at.again);
      at.wait = FIRST_WAIT;
    } catch (error) {
      const wait = Math.max(error.after || 0, at.wait * (0.75 + Math.random() / 2));
      at.wait = Math.min(LONGEST_WAIT, at.wait * 2);
      at.timer = setTimeout(send, wait);
      desk.missed(error);
    } finally {
      at.running = false;
      await desk.changed();
    }
  }

  // Something has changed that makes it worth while to try at once.
  function hurry() {
    at.wait = FIRST_WAIT;
    return send();
  }

  return { send, hurry, call };
}
