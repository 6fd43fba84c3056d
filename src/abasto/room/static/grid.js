// A grid of inputs as in a spreadsheet: arrows and Enter move between cells, and a block of cells copied elsewhere is
// pasted into it, from the cell it is pasted into or, if it begins with the names of columns, under those names.
// Without this script the same form is filled in cell by cell.

const grid = document.querySelector("table[data-grid]");
const body = grid.tBodies[0];
const said = document.getElementById("grid-said");
const add = document.getElementById("add-rows");
const model = document.getElementById("new-row");
const columns = [...grid.querySelectorAll("thead th > bdi")].map((name) => name.textContent);
const most = Number(grid.dataset.most);
const ROWS_AT_ONCE = 10;

function cellsOf(row) {
  return [...row.querySelectorAll("input[data-column]")];
}

function addRow() {
  const last = body.rows[body.rows.length - 1];
  const number = last ? Number(last.dataset.row) + 1 : 1;
  const row = model.content.firstElementChild.cloneNode(true);
  row.dataset.row = String(number);
  row.querySelector(".row-number").textContent = String(number);
  for (const input of row.querySelectorAll("input")) {
    input.name = input.name.replace("__n__", String(number));
    input.setAttribute("aria-label", input.getAttribute("aria-label").replace("__n__", String(number)));
  }
  body.append(row);
  return row;
}

function rowAt(place) {
  while (body.rows.length <= place) {
    if (body.rows.length >= most) return null;
    addRow();
  }
  return body.rows[place];
}

// What a spreadsheet copies: cells between tabs, and in quotes those that hold tabs, quotes or line breaks.
function blockOf(text) {
  const rows = [[""]];
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    const row = rows[rows.length - 1];
    if (isQuoted) {
      if (sign !== '"') row[row.length - 1] += sign;
      else if (text[at + 1] === '"') row[row.length - 1] += text[(at += 1)];
      else isQuoted = false;
    } else if (sign === '"' && row[row.length - 1] === "") isQuoted = true;
    else if (sign === "\t") row.push("");
    else if (sign === "\n") rows.push([""]);
    else if (sign !== "\r") row[row.length - 1] += sign;
  }
  while (rows.length && rows[rows.length - 1].every((cell) => cell === "")) rows.pop();
  return rows;
}

function paste(input, rows) {
  const first = [...body.rows].indexOf(input.closest("tr"));
  const named = rows[0].map((cell) => columns.indexOf(cell.trim()));
  const hasNames = rows.length > 1 && named.every((place) => place >= 0);
  const start = columns.indexOf(input.dataset.column);
  const block = hasNames ? rows.slice(1) : rows;
  let done = 0;
  for (const cells of block) {
    const row = rowAt(first + done);
    if (!row) break;
    const inputs = cellsOf(row);
    cells.forEach((cell, place) => {
      const target = inputs[hasNames ? named[place] : start + place];
      if (target) {
        target.value = cell.trim();
        mark(target);
      }
    });
    done += 1;
  }
  const words = done < block.length ? grid.dataset.full.replace("{n}", String(most)) : grid.dataset.pasted;
  said.textContent = words.replace("{n}", String(done));
}

function mark(input) {
  input.closest("td").classList.toggle("changed", input.value !== input.defaultValue);
}

function go(input, down, across) {
  const row = body.rows[[...body.rows].indexOf(input.closest("tr")) + down];
  const target = row && cellsOf(row)[columns.indexOf(input.dataset.column) + across];
  if (target) {
    target.focus();
    target.select();
  }
  return Boolean(target);
}

grid.addEventListener("keydown", (event) => {
  const input = event.target.closest("input[data-column]");
  if (!input || event.altKey || event.metaKey || event.isComposing) return;
  const isLeftToRight = getComputedStyle(grid).direction === "ltr";
  const sideways = { ArrowLeft: isLeftToRight ? -1 : 1, ArrowRight: isLeftToRight ? 1 : -1 }[event.key];
  const down = { ArrowDown: 1, ArrowUp: -1, Enter: event.shiftKey ? -1 : 1 }[event.key];
  const isWhole = input.selectionStart === 0 && input.selectionEnd === input.value.length;
  if (down) {
    if (go(input, down, 0) || event.key === "Enter") event.preventDefault();
  } else if (sideways && (event.ctrlKey || isWhole)) {
    if (go(input, 0, sideways)) event.preventDefault();
  }
});

grid.addEventListener("paste", (event) => {
  const input = event.target.closest("input[data-column]");
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!input || !/[\t\n]/.test(text.trimEnd())) return;
  event.preventDefault();
  paste(input, blockOf(text));
});

grid.addEventListener("input", (event) => {
  if (event.target.matches("input[data-column]")) mark(event.target);
});

add.hidden = false;
add.addEventListener("click", () => {
  const first = rowAt(body.rows.length);
  for (let more = 1; more < ROWS_AT_ONCE; more += 1) rowAt(body.rows.length);
  if (first) cellsOf(first)[0].focus();
  else said.textContent = grid.dataset.full.replace("{n}", String(most));
});
