// The server: what is asked of it, what it says, and the one state that all screens show.

import { lang, t } from "./words.js";
import { h } from "./dom.js";

export const state = { jobs: [], job: null, works: [], voices: "", revision: -1 };
const listeners = new Set();
export const listen = (listener) => (listeners.add(listener), () => listeners.delete(listener));

export function toast(text, kind = "bad") {
  const place = document.getElementById("toasts");
  const shown = h(`p.${kind}`, {}, text);
  place.append(shown);
  setTimeout(() => shown.remove(), kind === "good" ? 4000 : 10000);
}

async function answer(response) {
  const kind = response.headers.get("content-type") ?? "";
  const found = kind.includes("json") ? await response.json() : await response.text();
  if (response.ok) return found;
  const why = found?.error ?? found;
  toast(why || response.statusText);
  throw new Error(why);
}

export const get = async (path) => answer(await fetch(`/api/${path}`));

// What is asked is sent in its order, each when the one before is answered; all that waits when the page is left.
const queue = [];
let busy = false, leaving = false;
function inTurn(send) {
  return new Promise((resolve, reject) => {
    const go = () => send().then(resolve, reject);
    if (leaving) { go(); return; }
    queue.push(go);
    if (!busy) drain();
  });
}
async function drain() {
  busy = true;
  while (queue.length) await queue.shift()();
  busy = false;
}
window.addEventListener("pagehide", () => { leaving = true; for (const go of queue.splice(0)) go(); });
window.addEventListener("pageshow", () => { leaving = false; });

export async function post(name, asked = {}) {
  const body = JSON.stringify(asked), headers = { "content-type": "application/json" };
  const keepalive = body.length < 20000;  // browsers finish so much after the page has gone
  const found = await answer(await inTurn(() => fetch(`/api/${name}`, { method: "POST", headers, body, keepalive })));
  await refresh();
  return found;
}

export async function put(path, file, query = {}) {
  const found = await send(path, file, query);
  await refresh();
  return found;
}

// The same, where nothing that is shown changes by it.
export async function send(path, file, query = {}) {
  const { voice = [], ...plain } = query, asked = new URLSearchParams({ name: file.name, ...plain });
  for (const name of voice) asked.append("voice", name);
  return answer(await fetch(`/api/${path}?${asked}`, { method: "PUT", body: file }));
}

let refreshing = null, again = false;
export async function refresh() {
  if (refreshing) { again = true; return refreshing; }
  refreshing = (async () => {
    do {
      again = false;
      Object.assign(state, await get("state"));
      for (const listener of listeners) listener(state);
    } while (again);
  })().finally(() => { refreshing = null; });
  return refreshing;
}

export function follow() {
  let last = 0, timer = null;
  const events = new EventSource("/api/events");
  events.onmessage = () => {
    clearTimeout(timer);
    const wait = Math.max(0, 200 - (Date.now() - last));
    timer = setTimeout(() => { last = Date.now(); refresh().catch(() => {}); }, wait);
  };
  events.onerror = () => document.body.classList.add("lost");
  events.onopen = () => document.body.classList.remove("lost");
}

export const work = (number) => state.works.find((item) => item.number === number);

let known = null, of = null;
export async function voices() {
  const sign = `${state.job?.name} ${state.voices}`;
  if (!known || of !== sign) {
    of = sign;
    known = get("voices");
    known.catch(() => { known = null; });
  }
  return known;
}

export function setLanguage(code) {
  document.cookie = `moksori_lang=${code}; path=/; samesite=strict; max-age=31536000`;
  location.reload();
}

export const title = () => { document.title = state.job ? `${state.job.name} – Moksori Studio` : "Moksori Studio"; };
export { lang, t };
