// The server: what is asked of it, what it says, and the one state that all screens show.

import { lang, t } from "./words.js";
import { betweenClicks, h } from "./dom.js";
import { inTurn, unfinished } from "./sending.js";

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

const KEPT_ALIVE = 60000;  // bytes that browsers send on after the page has gone
const folder = () => state.job?.folder ?? null;

/** Ask for something; of the job that is shown, unless `asked.job` names another. */
export async function post(name, asked = {}) {
  const body = JSON.stringify({ job: folder(), ...asked }), headers = { "content-type": "application/json" };
  const keepalive = new Blob([body]).size < KEPT_ALIVE;
  const send = async () => {
    const response = await fetch(`/api/${name}`, { method: "POST", headers, body, keepalive });
    if (response.status === 401) throw new Error("another server");  // until its link has been opened in this browser
    return response;
  };
  const found = await answer(await inTurn(send, () => toast(t("kept.away"))));
  await refresh().catch(() => {});  // it is done, though its news does not come
  return found;
}

export async function put(path, file, query = {}) {
  const found = await send(path, file, query);
  await refresh();
  return found;
}

let sending = 0;
unfinished.add(() => sending > 0);

// The same, where nothing that is shown changes by it.
export async function send(path, file, query = {}) {
  const { voice = [], ...plain } = query, asked = new URLSearchParams({ name: file.name, ...(folder() && { job: folder() }), ...plain });
  for (const name of voice) asked.append("voice", name);
  sending += 1;
  try { return await answer(await fetch(`/api/${path}?${asked}`, { method: "PUT", body: file })); } catch (error) {
    if (error instanceof TypeError) toast(t("lost.file", { name: file.name }));  // no answer came
    throw error;
  } finally { sending -= 1; }
}

let refreshing = null, again = false;
export async function refresh() {
  if (refreshing) { again = true; return refreshing; }
  refreshing = (async () => {
    do {
      again = false;
      Object.assign(state, await get("state"));
      betweenClicks(listeners, () => { for (const listener of listeners) listener(state); });
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
  events.onerror = () => {
    document.body.classList.add("lost");
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, 1000);  // refused, as by a Studio that has begun anew
  };
  events.onopen = () => { document.body.classList.remove("lost"); refresh().catch(() => {}); };
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

export const title = (screen) => { document.title = [screen, state.job?.name, "Moksori Studio"].filter(Boolean).join(" – "); };
export { lang, t };
