"use strict";
// Draws the coverage table from the data in the page; all text goes in as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const [form, table, count, more] = ["choose", "heat", "heat-count", "heat-more"].map(byId);
  const [plan, need, place, order] = ["plan", "need", "place", "order"].map((name) => byId("choose-" + name));
  const step = 40;
  let shown = step;

  const make = (tag, text, classes) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (classes) element.className = classes;
    return element;
  };
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const level = (permille) => [250, 500, 750, 950].filter((limit) => permille >= limit).length;
  const number = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });
  const dayOf = (row, day) => (Array.isArray(row[4]) ? row[4][day] : row[4]);

  const option = (select, value, text) => {
    const element = make("option", text);
    element.value = value;
    select.append(element);
  };
  data.plans.forEach((entry, index) => option(plan, index, entry.label));
  plan.value = String(data.plans.length - 1);
  option(need, "", "all");
  data.needs.forEach((entry, index) => option(need, index, entry[0]));

  const orders = {
    worst: (a, b) => a[2] - b[2] || data.sites[b[0]][1] - data.sites[a[0]][1],
    unmet: (a, b) => b[3] - a[3],
    people: (a, b) => data.sites[b[0]][1] - data.sites[a[0]][1] || a[0] - b[0] || a[2] - b[2],
    name: (a, b) => data.sites[a[0]][0].localeCompare(data.sites[b[0]][0]) || a[2] - b[2],
  };

  const chosen = () => {
    const part = plain(place.value.trim());
    return data.plans[plan.value].rows
      .filter((row) => (need.value === "" || row[1] === Number(need.value)) && plain(data.sites[row[0]][0]).includes(part))
      .sort(orders[order.value]);
  };

  const cell = (permille, title) => {
    if (permille < 0) return make("td");
    const td = make("td", String(Math.floor(permille / 10)), "c" + level(permille));
    td.title = title;
    return td;
  };

  const rowOf = (row) => {
    const [name, people] = data.sites[row[0]];
    const [needName, unit] = data.needs[row[1]];
    const tr = make("tr");
    const head = make("th", name);
    head.scope = "row";
    head.dir = "auto";
    const what = make("td", needName, "need");
    what.dir = "auto";
    tr.append(head, what, make("td", number(people), "number"), make("td", number(row[3]) + " " + unit, "number"));
    tr.append(cell(row[2], "all days"));
    for (let day = 0; day < data.days; day += 1) tr.append(cell(dayOf(row, day), "day " + (day + 1)));
    return tr;
  };

  const heading = () => {
    const tr = make("tr");
    const titles = ["Place", "Need", "People", "Missing", "Met %"];
    titles.forEach((title) => tr.append(make("th", title, title === "Need" ? "need" : undefined)));
    for (let day = 0; day < data.days; day += 1) {
      const th = make("th", String(day + 1));
      th.title = data.dates[day];
      tr.append(th);
    }
    tr.querySelectorAll("th").forEach((th) => { th.scope = "col"; });
    const head = make("thead");
    head.append(tr);
    return head;
  };

  const draw = () => {
    const rows = chosen();
    const body = make("tbody");
    rows.slice(0, shown).forEach((row) => body.append(rowOf(row)));
    table.replaceChildren(heading(), body);
    const left = data.plans[plan.value].leftOut;
    const rest = left ? " (" + number(left) + " well-served rows are only in the plan's table coverage)" : "";
    count.textContent = rows.length
      ? "Showing " + Math.min(shown, rows.length) + " of " + rows.length.toLocaleString("en") + " rows" + rest + "."
      : "No row fits; clear the place or choose another need.";
    more.hidden = rows.length <= shown;
  };

  const restart = () => { shown = step; draw(); };
  [plan, need, order].forEach((select) => select.addEventListener("change", restart));
  place.addEventListener("input", restart);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { shown += 5 * step; draw(); });
  form.hidden = false;
  table.hidden = false;
  draw();
})();
