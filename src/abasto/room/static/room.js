// The room stays live: what happens is heard as server-sent events and passed on to whatever part of the page waits for
// it (`hx-trigger="journal from:body"`, and `plan` or `joint` likewise). Without this script every page still works.

const KINDS = ["journal", "plan", "joint"];
const live = document.getElementById("live");

function show(isHere) {
  live.textContent = isHere ? `● ${live.dataset.here}` : `○ ${live.dataset.away}`;
  live.classList.toggle("bad", !isHere);
}

function pass(kind) {
  return (event) => {
    const detail = JSON.parse(event.data);
    document.body.dispatchEvent(new CustomEvent(kind, { detail }));
  };
}

if (live && "EventSource" in window) {
  const events = new EventSource("/events");
  let wasAway = false;
  events.addEventListener("open", () => {
    show(true);
    // Whatever happened while nobody listened is fetched now.
    if (wasAway) for (const kind of KINDS) document.body.dispatchEvent(new CustomEvent(kind, { detail: {} }));
    wasAway = false;
  });
  events.addEventListener("error", () => {
    wasAway = true;
    show(false);
  });
  for (const kind of KINDS) events.addEventListener(kind, pass(kind));
  addEventListener("pagehide", () => events.close());
}

// On a narrow screen the links to the pages are a row to be pushed aside: the page that is open is in sight.
document.querySelector(".rooms [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Buttons that print, or that ask before they do something.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-print], button[data-ask]");
  if (button?.hasAttribute("data-print")) print();
  if (button?.dataset.ask && !confirm(button.dataset.ask)) event.preventDefault();
});

// A form that is refused stays as it was filled in, with what is wrong above it. Where something else is to be shown, such
// as what is doubtful, nothing was done yet, and the form is sent once more as it is without this script.
const asked = new WeakSet();

function tell(form, notice) {
  const place = document.createElement("div");
  place.tabIndex = -1;
  place.dataset.refused = "";
  place.append(notice);
  if (form.previousElementSibling?.matches("[data-refused]")) form.previousElementSibling.remove();
  form.before(place);
  place.focus();
}

function parsed(text) {
  const holder = document.createElement("template");
  holder.innerHTML = text;
  return holder.content;
}

function go(address) {
  const to = new URL(address, location.href);
  const isHere = to.pathname === location.pathname && to.search === location.search;
  location.assign(to);
  if (isHere && to.hash) location.reload();
}

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form));
  if (button?.name) body.append(button.name, button.value);
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
  } catch {
    const notice = document.createElement("p");
    notice.className = "notice refused";
    notice.textContent = live.dataset.away;
    tell(form, notice);
    asked.delete(form);
    return;
  }
  const next = answer.headers.get("HX-Redirect");
  if (next) {
    go(next);
  } else if (answer.headers.has("HX-Retarget")) {
    tell(form, parsed(await answer.text()));
    asked.delete(form);
  } else {
    form.submit();
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-stays]")) return;
  event.preventDefault();
  if (asked.has(form)) return;
  asked.add(form);
  send(form, event.submitter);
});
