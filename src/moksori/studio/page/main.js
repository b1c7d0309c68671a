// The frame: which screen is shown, what is at work, and the language.

import { follow, lang, listen, post, refresh, setLanguage, state, t, title, toast } from "./api.js";
import { button, clock, fill, h } from "./dom.js";
import { keepTyped } from "./sending.js";
import start from "./start.js";
import cast from "./cast.js";
import check from "./check.js";
import lines from "./lines.js";
import reel from "./reel.js";
import one from "./one.js";

const screens = { start, cast, check, lines, reel, one };
const alone = ["start", "one"];  // need no job
const place = document.getElementById("screen"), tabs = document.getElementById("tabs");
let shown = null, update = () => {};

function wanted() {
  const name = location.hash.slice(1).split("/")[0];
  if (name in screens && (state.job || alone.includes(name))) return name;
  return state.job?.lines.some((line) => line.status !== "faulty") ? "lines" : "start";
}

function show() {
  const name = wanted(), other = name !== shown;
  if (other) {
    keepTyped();
    shown = name;
    document.body.dataset.screen = name;
    place.replaceChildren();
    update = screens[name](place);
  }
  update(state);
  frame();
  if (other) tabs.querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });  // on a phone they may be wider
}

function frame() {
  title(t(`screen.${shown}`));
  document.getElementById("job").textContent = state.job?.name ?? "";
  const counts = state.job && {
    check: state.job.issues.filter((issue) => issue.severity === "error").length + (state.job.error ? 1 : 0) || "",
    lines: state.job.lines.filter((line) => line.look && line.mark !== "ok").length || "",
  };
  const names = Object.keys(screens);
  if (tabs.children.length !== names.length)
    fill(tabs, names.map((name, i) => h("a", { "data-name": name }, h("span", {}, t(`screen.${name}`)), " ", h("b"))));
  for (const tab of tabs.children) {
    const name = tab.dataset.name;
    if (name === shown) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
    const off = !state.job && !alone.includes(name);
    tab.classList.toggle("off", off);
    if (off) tab.removeAttribute("href"); else tab.href = `#${name}`;  // keys and screen readers pass what cannot be followed
    tab.querySelector("b").textContent = counts?.[name] ?? "";
  }
  const busy = state.works.filter((work) => ["running", "waiting"].includes(work.state) && (!work.quiet || lasts(work.number)));
  showWorks(state.job?.elsewhere ? [...busy, { number: "elsewhere" }] : busy);
}

// The page's own housekeeping is shown if it lasts; a row that flashed would move all that is below it.
const LONG = 1000, seen = new Map();
function lasts(number) {
  if (!seen.has(number)) { seen.set(number, Date.now()); setTimeout(frame, LONG + 50); }
  return Date.now() - seen.get(number) >= LONG;
}

// A work's row stays the same element while it goes on, so that whoever is about to cancel it by keys stays there.
const rows = new Map();
function showWorks(busy) {
  for (const [number, row] of rows) if (!busy.some((work) => work.number === number)) { row.element.remove(); rows.delete(number); }
  for (const work of busy) {
    if (!rows.has(work.number)) {
      rows.set(work.number, work.number === "elsewhere" ? elsewhereRow() : workRow(work));
      document.getElementById("works").append(rows.get(work.number).element);
    }
    rows.get(work.number).show(work);
  }
  const said = busy.filter((work) => !work.quiet).map((work) => work.kind ? `${t(`work.${work.kind}`)}: ${t(work.state === "waiting" ? "waits" : "at.work")}` : t("elsewhere")).join(", ");
  const status = document.getElementById("status");
  if (status.textContent !== said) status.textContent = said;  // a screen reader says what is at work, and not each line of it
}

const told = new Set();
function tell() {
  for (const work of state.works) {
    if (told.has(work.number)) continue;
    if (work.state === "failed" && !work.quiet) toast(`${t(`work.${work.kind}`)}: ${work.error}`);
    if (work.state === "done" && work.kind === "export") toast(t("exported", work.result), "good");
    if (work.state === "done" && work.kind === "convert" && !work.about.ids.length) toast(t("converted", work.result), "good");
    if (work.state === "done" && work.kind === "enrol") toast(t("enrolled", work.result), "good");
    if (["failed", "done", "cancelled"].includes(work.state)) told.add(work.number);
  }
}

function workRow({ number, kind, about }) {
  const name = t(`work.${kind}`), stage = h("small"), progress = h("progress", { "aria-label": name }), count = h("small.number");
  const element = h("p.work", { "data-kind": kind }, h("span", {}, name, " ", about.voice && h("b", {}, about.voice), " ", stage), progress, count,
    button(t("cancel"), () => post("cancel", { number }), { "aria-label": `${t("cancel")}: ${name}` }));
  const show = (work) => {
    const at = work.state === "waiting" ? t("waits") : work.stage ? t(`stage.${work.stage}`) : "";
    const left = work.left === null || !work.total ? "" : ` · ${t("left", { time: clock(work.left) })}`;
    stage.textContent = at === name ? "" : at;
    if (work.total) { progress.max = work.total; progress.value = work.done; } else progress.removeAttribute("value");
    count.textContent = work.total ? `${work.done} / ${work.total}${left}` : "";
  };
  return { element, show };
}

function elsewhereRow() {
  const progress = h("progress", { "aria-label": t("elsewhere") }), count = h("small.number");
  const show = () => {
    const lines = state.job.lines, done = lines.filter((line) => !["waiting", "begun"].includes(line.status)).length;
    [progress.max, progress.value] = [lines.length || 1, done];
    count.textContent = `${done} / ${lines.length}`;
  };
  return { element: h("p.work", { "data-kind": "elsewhere" }, t("elsewhere"), progress, count), show };
}

document.documentElement.lang = lang;
document.getElementById("lost").textContent = t("lost");
const other = document.getElementById("lang");
other.textContent = lang === "ko" ? "English" : "한국어";
other.addEventListener("click", () => setLanguage(lang === "ko" ? "en" : "ko"));
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const name = Object.keys(screens)[Number(event.code.replace("Digit", "")) - 1];
  if (name) { event.preventDefault(); location.hash = name; }
});
document.addEventListener("input", ({ target }) => {  // a field cuts what is pasted without a word
  if (target.maxLength > 0 && target.value.length >= target.maxLength) toast(t("field.full", { most: target.maxLength }));
});
let first = true;
listen(() => {
  if (first) {  // what failed before this page was opened is not told
    first = false;
    window.addEventListener("hashchange", show);  // there is nothing to show before
    state.works.filter((work) => ["failed", "done", "cancelled"].includes(work.state)).forEach((work) => told.add(work.number));
  }
  show();
  tell();
});
refresh().then(follow);
