// Keeps the page for when there is no connection. `VERSION` and `KEPT` are put before this by the room. What the API
// says is never kept here: reports wait in the page's own store, and figures carry their age.

const CACHE = "abasto-" + VERSION;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => Promise.all(KEPT.map(async (address) => cache.put(address, await fresh(address)))))
      .then(() => self.skipWaiting()),
  );
});

// Past the browser's own cache, and never a page of somebody else's network in place of ours.
async function fresh(address) {
  const answer = await fetch(address, { cache: "reload", redirect: "error" });
  if (!answer.ok) throw new Error(address + " answered " + answer.status);
  return answer;
}

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin) return;
  const key = address.pathname === "/phone" ? "/phone" : address.pathname + address.search;
  if (KEPT.indexOf(key) < 0) return;
  event.respondWith(
    caches
      .open(CACHE)
      .then((cache) => cache.match(key))
      .then((kept) => kept || fetch(event.request)),
  );
});
