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
