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
  const name = wanted();
  if (name !== shown) {
    keepTyped();
    shown = name;
    document.body.dataset.screen = name;
    place.replaceChildren();
    update = screens[name](place);
  }
  update(state);
  frame();
}

function frame() {
  title();
  document.getElementById("job").textContent = state.job?.name ?? "";
  const counts = state.job && {
    check: state.job.issues.filter((issue) => issue.severity === "error").length || "",
    lines: state.job.lines.filter((line) => line.look && line.mark !== "ok").length || "",
  };
  const names = Object.keys(screens);
  if (tabs.children.length !== names.length)
    fill(tabs, names.map((name, i) => h("a", { href: `#${name}`, "data-name": name }, h("span", {}, t(`screen.${name}`)), h("b"))));
  for (const tab of tabs.children) {
    const name = tab.dataset.name;
    if (name === shown) tab.setAttribute("aria-current", "page"); else tab.removeAttribute("aria-current");
    tab.classList.toggle("off", !state.job && !alone.includes(name));
    tab.querySelector("b").textContent = counts?.[name] ?? "";
  }
  const busy = state.works.filter((work) => ["running", "waiting"].includes(work.state));
  const elsewhere = state.job?.elsewhere;
  fill(document.getElementById("works"), busy.map(workRow), elsewhere && elsewhereRow());
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

function workRow(work) {
  const progress = h("progress", { "aria-label": t(`work.${work.kind}`) });
  if (work.total) { progress.max = work.total; progress.value = work.done; }
  const left = work.left === null || !work.total ? "" : t("left", { time: clock(work.left) });
  const stage = work.state === "waiting" ? t("waits") : work.stage ? t(`stage.${work.stage}`) : "";
  return h("p.work", { "data-kind": work.kind }, h("span", {}, t(`work.${work.kind}`), " ", work.about.voice && h("b", {}, work.about.voice), " ", stage !== t(`work.${work.kind}`) && h("small", {}, stage)), progress,
    h("small.number", {}, work.total ? `${work.done} / ${work.total}` : "", left && ` · ${left}`),
    button(t("cancel"), () => post("cancel", { number: work.number })));
}

function elsewhereRow() {
  const lines = state.job.lines, done = lines.filter((line) => !["waiting", "begun"].includes(line.status)).length;
  return h("p.work", { "data-kind": "elsewhere" }, t("elsewhere"), h("progress", { max: lines.length, value: done }), h("small.number", {}, `${done} / ${lines.length}`));
}

document.documentElement.lang = lang;
const other = document.getElementById("lang");
other.textContent = lang === "ko" ? "English" : "한국어";
other.addEventListener("click", () => setLanguage(lang === "ko" ? "en" : "ko"));
window.addEventListener("hashchange", show);
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const name = Object.keys(screens)[Number(event.code.replace("Digit", "")) - 1];
  if (name) { event.preventDefault(); location.hash = name; }
});
let first = true;
listen(() => {
  if (first) {  // what failed before this page was opened is not told
    first = false;
    state.works.filter((work) => ["failed", "done", "cancelled"].includes(work.state)).forEach((work) => told.add(work.number));
  }
  show();
  tell();
});
refresh().then(follow);
