// What the page says, in the language of the phone: texts come with the page, numbers and days are written here.

const FIRST_STRONG = "\u2068";
const END = "\u2069";

const speaking = { code: "en", direction: "ltr", texts: {}, all: {} };

export function knowLanguages(all) {
  speaking.all = all;
}

export function languages() {
  return Object.keys(speaking.all).map((code) => ({ code, name: speaking.all[code].name }));
}

export function speak(code) {
  const chosen = speaking.all[code] ? code : "en";
  speaking.code = chosen;
  speaking.direction = speaking.all[chosen].direction;
  speaking.texts = speaking.all[chosen].texts;
  document.documentElement.lang = chosen;
  document.documentElement.dir = speaking.direction;
}

export function language() {
  return speaking.code;
}

// The first of the browser's languages that there is.
export function wantedLanguage(fallback) {
  const wanted = navigator.languages || [navigator.language || ""];
  for (const tag of wanted) {
    const code = tag.split("-")[0].toLowerCase();
    if (speaking.all[code]) return code;
  }
  return fallback;
}

// A text by its key; {name} in it is replaced by the part of that name, which keeps its own direction.
export function say(key, parts) {
  const text = speaking.texts[key];
  if (text === undefined) throw new Error("no text " + key);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (parts && name in parts ? isolated(String(parts[name])) : whole));
}

// A name written the other way does not disturb the order of the words around it.
export function isolated(text) {
  return speaking.direction === "rtl" || /[\u0590-\u08ff]/.test(text) ? FIRST_STRONG + text + END : text;
}

// A number as text ("1234.5"), grouped by narrow blanks, with a point in every language.
export function numberWords(text) {
  const [whole, rest] = String(text).replace("-", "\u2212").split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
  return rest ? grouped + "." + rest : grouped;
}

export function isoDay(date) {
  const two = (n) => String(n).padStart(2, "0");
  return date.getFullYear() + "-" + two(date.getMonth() + 1) + "-" + two(date.getDate());
}

export function dayAfter(iso, days) {
  const date = new Date(iso + "T12:00:00");
  date.setDate(date.getDate() + days);
  return isoDay(date);
}

export function daysBetween(earlier, later) {
  return Math.round((new Date(later + "T12:00:00") - new Date(earlier + "T12:00:00")) / 86400000);
}

// Today, yesterday, or the date.
export function dayWords(iso, today) {
  if (!iso) return say("never");
  const ago = daysBetween(iso, today);
  if (ago === 0) return say("today");
  if (ago === 1) return say("yesterday");
  return dateWords(iso);
}

export function dateWords(iso) {
  const form = { weekday: "short", day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(speaking.code + "-u-nu-latn", form).format(new Date(iso + "T12:00:00"));
}

// When something was received: the time of the room's clock, with the day if that was another one.
export function momentWords(iso) {
  const time = iso.slice(11, 16);
  return iso.slice(0, 10) === isoDay(new Date()) ? time : dateWords(iso.slice(0, 10)) + " " + time;
}
