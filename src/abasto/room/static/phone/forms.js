// Forms of reports: how much of a good, what of an order, what is wrong. Large targets, one thing at a time.

import { app, changeReport, save, site, today } from "./app.js";
import { bdi, button, drawing, el, goodPicture, moveOn, showScreen, tell } from "./dom.js";
import { readNumber } from "./numbers.js";
import { amountWords, goodOf } from "./reports.js";
import { dateWords, dayAfter, dayWords, numberWords, say } from "./words.js";

// Without a prototype: whatever an address names is looked for here.
export const KINDS = Object.assign(Object.create(null), {
  count: { key: "count", question: "how much is there" },
  received: { key: "receive", question: "how much came" },
  "handed out": { key: "hand out", question: "how much was handed out" },
  lost: { key: "lost", question: "how much was lost" },
  need: { key: "need", question: "how much is needed a day" },
});

let fields = 0;

function fresh() {
  fields += 1;
  return "field-" + fields;
}

// A number, and the unit or pack it is counted in. `value()` is null as long as something is missing, which is shown.
export function quantityField(good, label, given) {
  const id = fresh();
  const trouble = el("p", { class: "trouble", id: id + "-trouble", role: "alert" });
  const input = el("input", {
    id, type: "text", inputmode: "decimal", autocomplete: "off", class: "number", maxlength: "20", required: true,
    "aria-describedby": id + "-trouble", enterkeyhint: "done", value: (given && given.quantity) || "",
  });
  const choices = el("div", { class: "choices" });
  input.addEventListener("input", () => {
    const read = readNumber(input.value);
    trouble.textContent = "";
    choices.textContent = "";
    if (read.choices) askWhich(read.choices);
  });
  function askWhich(numbers) {
    trouble.textContent = say(numbers.length > 1 ? "which number" : "is it this number", { typed: input.value });
    for (const number of numbers) {
      choices.append(
        button(numberWords(number.replace(/(\.\d{3})0$/, "$1")), () => {
          input.value = number;
          trouble.textContent = "";
          choices.textContent = "";
          input.focus();
        }, { class: "choice" }),
      );
    }
  }
  const units = unitField(good, given && given.unit);
  const node = el("div", { class: "field" }, el("label", { for: id, class: "question" }, label), input, trouble, choices,
    units.node);
  function value() {
    const read = readNumber(input.value);
    if (read.choices) {
      if (!choices.childNodes.length) askWhich(read.choices);
      choices.firstChild.focus();
      return null;
    }
    if (!read.number) {
      trouble.textContent = say("write a number");
      input.setAttribute("aria-invalid", "true");
      input.focus();
      return null;
    }
    input.removeAttribute("aria-invalid");
    const unit = units.value(Number(read.number) === 0);
    return unit === null ? null : { quantity: read.number, unit };
  }
  return { node, value, input };
}

function unitField(good, chosen) {
  const name = fresh();
  if (good.units.length < 2) {
    const unit = good.units[0] || "";
    return { node: el("p", { class: "unit-alone" }, bdi(unit)), value: () => unit };
  }
  const trouble = el("p", { class: "trouble", role: "alert" });
  const set = el("fieldset", { class: "options" }, el("legend", {}, say("counted in")));
  for (const unit of good.units) {
    const id = fresh();
    set.append(
      el("span", { class: "option" },
        el("input", { type: "radio", name, id, value: unit, checked: unit === chosen,
          on: { change: () => { trouble.textContent = ""; } } }),
        el("label", { for: id }, bdi(unit))),
    );
  }
  set.append(trouble);
  return {
    node: set,
    value: (isZero) => {
      const picked = set.querySelector("input:checked");
      if (picked) return picked.value;
      if (isZero) return good.units[0];
      trouble.textContent = say("choose what it is counted in");
      set.querySelector("input").focus();
      return null;
    },
  };
}

// The day it is about: today, yesterday, or another one.
export function dayField(chosen) {
  const name = fresh();
  const days = [today(), dayAfter(today(), -1)];
  const other = el("input", { type: "date", id: fresh(), max: today(), value: "", "aria-label": say("other day") });
  const set = el("fieldset", { class: "options" }, el("legend", {}, say("which day")));
  for (const day of days) {
    const id = fresh();
    set.append(
      el("span", { class: "option" },
        el("input", { type: "radio", name, id, value: day, checked: day === (chosen || days[0]),
          on: { change: () => { other.value = ""; } } }),
        el("label", { for: id }, dayWords(day, today()), " ", el("small", {}, dateWords(day)))),
    );
  }
  const more = el("details", { class: "more" }, el("summary", {}, say("other day")), other);
  if (chosen && days.indexOf(chosen) < 0) {
    other.value = chosen;
    more.open = true;
  }
  set.append(more);
  return { node: set, value: () => other.value || (set.querySelector("input:checked") || { value: days[0] }).value };
}

function expiryField(chosen) {
  const id = fresh();
  const input = el("input", { type: "date", id, value: chosen || "" });
  const node = el("details", { class: "more", open: !!chosen }, el("summary", {}, say("date on the pack")),
    el("label", { for: id }, say("best by which day")), input);
  return { node, value: () => input.value };
}

function textField(label, value, given) {
  const id = fresh();
  const input = el(given && given.rows ? "textarea" : "input",
    Object.assign({ id, value: value || "", maxlength: "1000", dir: "auto", autocomplete: "off" }, given));
  return { node: el("div", { class: "field" }, el("label", { for: id, class: "question" }, label), input),
    value: () => input.value.trim(), input };
}

function form(nodes, done, text) {
  const submit = el("button", { type: "submit", class: "first wide" }, text || say("save"));
  const made = el("form", { novalidate: true, on: { submit: async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await done();
    } finally {
      submit.disabled = false;
    }
  } } }, nodes, el("div", { class: "bottom" }, submit));
  keepDraft(made);
  return made;
}

// A phone lets go of a page that it does not show; what was typed and not saved yet is there when the page comes back.
function keepDraft(made) {
  const key = draftKey(location.hash);
  const typed = () => Array.from(made.querySelectorAll("input.number, textarea"));
  try {
    const before = JSON.parse(sessionStorage.getItem(key) || "[]");
    typed().forEach((input, place) => {
      if (before[place]) input.value = before[place];
    });
    made.addEventListener("input", () => {
      sessionStorage.setItem(key, JSON.stringify(typed().map((input) => input.value)));
    });
  } catch (error) {
    console.warn("draft:", error);
  }
}

function draftKey(place) {
  return "draft " + place;
}

function forgetDraft(place) {
  try {
    sessionStorage.removeItem(draftKey(place));
  } catch (error) {
    console.warn("draft:", error);
  }
}

// Save a report, new or corrected; it is only called saved once the phone has it.
async function keep(said, record, next) {
  const from = location.hash;
  try {
    if (record) await changeReport(record.id, () => ({ report: Object.assign({}, record.report, said), state: "saved" }));
    else await save(said);
  } catch (error) {
    tell(say("not saved"), "bad");
    return;
  }
  forgetDraft(from);
  moveOn(from, next);
  const what = said.good ? amountWords(said.quantity, said.unit, goodOf(app.sheet, said.good)) : "";
  tell(what ? say("saved what", { what }) : say("saved here"));
}

export function showQuantity(kind, good, { back, record, next }) {
  const before = record ? record.report : {};
  const where = before.site || (site() ? site().id : "");
  const question = kind === "need" && rationOf(where, good) ? say("how much more is needed a day") : say(KINDS[kind].question);
  const quantity = quantityField(good, question, before);
  const day = dayField(before.date);
  const expires = kind === "need" || kind === "handed out" ? null : expiryField(before.expires);
  const cause = kind === "lost" ? textField(say("why was it lost"), before.text) : null;
  async function done() {
    const much = quantity.value();
    if (!much) return;
    if (Number(much.quantity) === 0 && kind !== "count" && kind !== "need") {
      tell(say("zero is nothing"), "bad");
      quantity.input.focus();
      return;
    }
    const said = { kind, site: where, good: good.id, quantity: much.quantity, unit: much.unit, date: day.value(), sure: false };
    if (expires) said.expires = expires.value();
    if (cause) said.text = cause.value();
    await keep(said, record, next);
  }
  const title = [goodPicture(good), el("span", {}, say(KINDS[kind].key), ": ", bdi(good.name))];
  showScreen(el("span", { class: "title" }, title),
    [knownLine(kind, where, good), form([quantity.node, day.node, cause && cause.node, expires && expires.node], done)],
    { back });
  quantity.input.focus();
}

function figureOf(where, good) {
  return app.sheet && app.sheet.figures.find((one) => one.site === where && one.good === good.id);
}

function rationOf(where, good) {
  const figure = figureOf(where, good);
  return figure && figure.ration;
}

// What is known so far: a figure with its age, so that a slip of the pen is seen before it is sent.
export function knownLine(kind, where, good) {
  const figure = figureOf(where, good);
  if (!figure) return null;
  const unit = good.units[0] || "";
  if (kind === "need") {
    const said = [];
    if (figure.ration) said.push(say("ration known", { quantity: numberWords(figure.ration), unit }));
    if (figure.need) said.push(say("need known", { quantity: numberWords(figure.need), unit }));
    return said.length ? el("p", { class: "known" }, said.join(" ")) : null;
  }
  if (!figure.stock) return null;
  return el("p", { class: "known" }, figureWords(figure, unit));
}

export function figureWords(figure, unit) {
  const key = { counted: "counted figure", computed: "computed figure", estimated: "estimated figure" }[figure.kind];
  return say(key, { quantity: numberWords(figure.stock), unit, day: dayWords(figure.as_of, today()) });
}

// What was loaded, or has arrived, of an order: all of it with one button, or good by good.
export function showOrder(kind, order, { back, record, next }) {
  const lines = kind === "loaded" ? order.to_load : order.to_receive;
  const before = record ? record.report : {};
  const day = dayField(before.date);
  const changed = new Map((before.lines || []).map((line) => [line.good, line]));
  const rows = lines.map((line) => orderRow(line, changed.get(line.good)));
  const id = fresh();
  const more = el("input", { type: "checkbox", id, checked: before.more_to_come });
  const rest = kind === "arrived" && el("p", { class: "check" }, more, el("label", { for: id }, say("the rest is to come")));
  async function done() {
    const said = { kind, order: order.code, date: day.value(), sure: false, lines: [] };
    said.site = kind === "arrived" ? order.to_site : order.from_site;
    for (const row of rows) {
      const other = row.value();
      if (other === null) return;
      if (other || (kind === "arrived" && more.checked)) said.lines.push(other || row.whole);
    }
    if (kind === "arrived") said.more_to_come = more.checked;
    await keep(said, record, next);
  }
  const way = kind === "loaded" ? say("to site", { site: order.to_name }) : say("from site", { site: order.from_name });
  const title = [drawing(kind === "loaded" ? "load" : "receive"), el("span", {}, say("order code", { code: order.code.replace("-", "\u2011") }))];
  showScreen(el("span", { class: "title" }, title),
    [el("p", { class: "known" }, way), form([el("ul", { class: "rows" }, rows.map((row) => row.node)), rest, day.node], done,
      say(kind === "loaded" ? "it was loaded" : "it arrived"))], { back });
}

function orderRow(line, before) {
  const good = goodOf(app.sheet, line.good);
  const unit = good.units[0] || "";
  const place = el("div", { class: "other" });
  const state = { field: null };
  const much = el("span", { class: "much" }, amountWords(line.quantity, unit, good));
  function open() {
    state.field = quantityField(good, say("how much was it"), before);
    place.append(state.field.node, button(say("as planned"), close, { class: "plain" }));
    toggle.hidden = true;
    much.classList.add("struck");
  }
  function close() {
    place.textContent = "";
    state.field = null;
    toggle.hidden = false;
    much.classList.remove("struck");
    toggle.focus();
  }
  const toggle = button(say("other quantity"), () => {
    open();
    state.field.input.focus();
  }, { class: "plain" });
  toggle.setAttribute("aria-label", say("other quantity of", { good: good.name }));
  const node = el("li", { class: "row" }, goodPicture(good), much, toggle, place);
  if (before) open();
  return {
    node,
    whole: { good: good.id, quantity: line.quantity, unit },
    value: () => {
      if (!state.field) return undefined;
      const other = state.field.value();
      return other && { good: good.id, quantity: other.quantity, unit: other.unit };
    },
  };
}

export function showProblem({ back, record, next }) {
  const before = record ? record.report : {};
  const text = textField(say("what is the problem"), before.text, { rows: "5" });
  async function done() {
    if (!text.value()) {
      tell(say("write some words"), "bad");
      text.input.focus();
      return;
    }
    const where = before.site || (site() ? site().id : "");
    await keep({ kind: "problem", site: where, text: text.value(), date: today(), sure: false }, record, next);
  }
  showScreen(el("span", { class: "title" }, drawing("problem"), el("span", {}, say("problem"))),
    [el("p", { class: "known" }, say("no names")), form([text.node], done)], { back });
  text.input.focus();
}
