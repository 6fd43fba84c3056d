// What the phone keeps: reports, one record each, and a few values (token, sheet, language). In IndexedDB, else in
// localStorage, else only as long as the page is open; `kind` says which, and the page tells whoever uses it.

const REPORTS = "reports";
const VALUES = "values";
const STORE_PATIENCE = 5000;

export async function openStore(name) {
  for (const open of [openDatabase, openLocal]) {
    try {
      const store = await open(name);
      await tried(store);
      if (store.kind === "indexeddb") await movedIn(name, store);
      return store;
    } catch (error) {
      console.warn("store:", error);
    }
  }
  return mapStore(new Map(), "memory");
}

// Some browsers offer a store that keeps nothing; only what was read back counts.
async function tried(store) {
  const sign = String(Math.random());
  await store.keep("probe", sign);
  if ((await store.kept("probe")) !== sign) throw new Error("what was kept is not there");
}

// A database that once gave no answer in time left what was saved then in localStorage. It moves in piece by piece; its
// values are the later ones. What cannot move stays there and keeps nothing else back.
async function movedIn(name, store) {
  const known = new Set((await store.all()).map((record) => record.id));
  const places = [];
  try {
    for (const place of Object.keys(localStorage)) if (place.startsWith(name + "/")) places.push(place);
  } catch (error) {
    return;
  }
  for (const place of places) {
    try {
      const [, table, value] = place.match(/\/(reports|values)\/(.*)$/s);
      const kept = JSON.parse(localStorage.getItem(place));
      if (table === VALUES) {
        if (value !== "probe") await store.keep(value, kept);
      } else if (!known.has(kept.id)) await store.add(kept);
      localStorage.removeItem(place);
    } catch (error) {
      console.warn("store:", error);
    }
  }
}

function openDatabase(name) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("no answer")), STORE_PATIENCE);
    const asked = indexedDB.open(name, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore(REPORTS, { keyPath: "id" });
      asked.result.createObjectStore(VALUES);
    };
    asked.onerror = () => reject(asked.error);
    asked.onblocked = () => reject(new Error("blocked"));
    asked.onsuccess = () => {
      const database = asked.result;
      database.onversionchange = () => database.close();
      resolve(databaseStore(database));
    };
  });
}

function databaseStore(database) {
  // Strict: the promise of "saved on this phone" holds after the battery is taken out too.
  function working(where, mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(where, mode, { durability: "strict" });
      const given = { value: undefined };
      transaction.oncomplete = () => resolve(given.value);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error || new Error("not kept"));
      work(transaction.objectStore(where), given);
    });
  }
  function reading(where, ask) {
    return working(where, "readonly", (store, given) => {
      const asked = ask(store);
      asked.onsuccess = () => {
        given.value = asked.result;
      };
    });
  }
  return {
    kind: "indexeddb",
    all: () => reading(REPORTS, (store) => store.getAll()),
    add: (record) => working(REPORTS, "readwrite", (store) => store.add(record)),
    remove: (id) => working(REPORTS, "readwrite", (store) => store.delete(id)),
    change: (id, how) =>
      working(REPORTS, "readwrite", (store, given) => {
        const asked = store.get(id);
        asked.onsuccess = () => {
          // Another tab may have deleted it meanwhile; then it stays deleted.
          if (!asked.result) return;
          given.value = Object.assign({}, asked.result, how(asked.result));
          store.put(given.value);
        };
      }),
    keep: (name, value) => working(VALUES, "readwrite", (store) => store.put(value, name)),
    kept: (name) => reading(VALUES, (store) => store.get(name)),
    forget: (name) => working(VALUES, "readwrite", (store) => store.delete(name)),
  };
}

function openLocal(name) {
  const prefix = name + "/";
  const map = {
    get: (key) => localStorage.getItem(prefix + key),
    set: (key, value) => localStorage.setItem(prefix + key, value),
    delete: (key) => localStorage.removeItem(prefix + key),
    keys: () =>
      Object.keys(localStorage)
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length)),
  };
  return Promise.resolve(mapStore(map, "localstorage"));
}

function mapStore(map, kind) {
  const read = (key) => {
    const text = map.get(key);
    return text === null || text === undefined ? undefined : JSON.parse(text);
  };
  const write = (key, value) => map.set(key, JSON.stringify(value));
  const key = (id) => REPORTS + "/" + id;
  return {
    kind,
    all: async () => Array.from(map.keys()).filter((name) => name.startsWith(REPORTS + "/")).map(read),
    add: async (record) => write(key(record.id), record),
    remove: async (id) => map.delete(key(id)),
    change: async (id, how) => {
      const record = read(key(id));
      if (!record) return undefined;
      const changed = Object.assign({}, record, how(record));
      write(key(id), changed);
      return changed;
    },
    keep: async (name, value) => write(VALUES + "/" + name, value),
    kept: async (name) => read(VALUES + "/" + name),
    forget: async (name) => map.delete(VALUES + "/" + name),
  };
}
