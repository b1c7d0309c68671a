// The main screen: all lines, and beside them the one that is worked on.

import { post, state, t } from "./api.js";
import { Keyed, button, fill, h, select } from "./dom.js";
import { Panel } from "./panel.js";
import { comeBack, topOf } from "./scrolled.js";

const SHOW = ["all", "look", "unseen", "retake", "hold", "waiting"];
const plain = (text) => text.normalize("NFC").toLowerCase();
const fits = {
  all: () => true,
  look: (line) => line.look && line.mark !== "ok",
  unseen: (line) => !line.mark,
  retake: (line) => line.mark === "retake",
  hold: (line) => line.mark === "hold",
  waiting: (line) => ["waiting", "begun"].includes(line.status),
};

const named = () => decodeURIComponent(location.hash.split("/")[1] ?? "");
const NOBODY = "\0";  // stands for lines of no character, as "" for all of them
const ANY = { show: "all", character: "", search: "" };
let asked = { ...ANY }, job = null, chosen = "", top = null;  // what was shown, of which job, and how far down: one comes back to it

export default function lines(place) {
  if (job !== state.job?.folder) { asked = { ...ANY }; job = state.job?.folder; chosen = ""; top = null; }
  chosen = named() || chosen;
  let ofAll = "";  // what is wrong with all lines alike, which Check says once
  let last = 0;  // where the chosen line was, if what is shown no longer has it
  const panel = new Panel(() => choose(""), (by) => step(by));
  const rows = h("div.rows", { role: "listbox", "aria-label": t("screen.lines") });
  function scrolled() { if (place.contains(rows)) top = topOf(rows); else document.removeEventListener("scroll", scrolled, true); }
  const keyed = new Keyed(rows, row);
  const count = h("output");
  const all = button("", () => post("convert"), { class: "main", id: "convert-all" });
  const search = h("input", { type: "search", value: asked.search, placeholder: t("search"), "aria-label": t("search"), title: "/", oninput: (e) => { asked.search = e.target.value; update(state); } });
  const show = select(SHOW.map((name) => [name, t(`show.${name}`)]), asked.show, (value) => { asked.show = value; update(state); }, { "aria-label": t("show"), id: "show" });
  const who = h("select", { "aria-label": t("character"), onchange: (e) => { asked.character = e.target.value; update(state); } });
  const bar = h("div.tools", {}, show, who, search, count, all);
  fill(place, h("h1.unseen", {}, t("screen.lines")), h("div.lines", {}, h("section.list", {}, bar, rows, keysHelp()), panel.element));

  function row(line) {
    const chips = line.flags.filter((flag) => flag.level !== "grey").slice(0, 2);
    return h(`div.row.${line.mark || "none"}`, { role: "option", tabIndex: -1, "data-key": line.id, onclick: () => choose(line.id) },
      h("span.tc", {}, line.start || line.place),
      h("span.who", {}, line.character || "—", h("small", {}, line.pass ? t("pass") : line.voice)),
      h("span.said", { lang: "ko" }, line.text,
        line.change.text !== undefined && h("small.changed", {}, t("changed")),
        line.error && line.error !== ofAll && h("small.bad", {}, line.error),
        chips.map((flag) => h(`small.chip.${flag.level}`, {}, flag.text)),
        line.note && h("small.note", { title: line.note }, `“${line.note}”`)),
      h("span.state", {}, h(`b.${line.mark || "none"}`, {}, t(`mark.${line.mark || "none"}`)),
        line.stale && h("small", {}, t("stale")),
        h(`small.${line.status}`, {}, t(`status.${line.status}`))));
  }

  function choose(id) {
    const before = chosen, hash = id ? `#lines/${encodeURIComponent(id)}` : "#lines";
    chosen = id;
    if ((id || before) && location.hash !== hash) history[id && !before ? "pushState" : "replaceState"](null, "", hash);  // back closes it
    mark();
    open();
    if (id && !before && getComputedStyle(rows).visibility === "hidden") panel.element.focus({ preventScroll: true });  // which lies over the row
    if (before && !id) rows.querySelector(`[data-key="${CSS.escape(before)}"]`)?.focus({ preventScroll: true });
  }

  function open() {
    const line = state.job?.lines.find((line) => line.id === chosen) ?? null;
    document.body.classList.toggle("panel-open", Boolean(line));
    panel.show(line);
  }

  // One row is reached by Tab; J, K and the arrows go on from it.
  function mark() {
    const elements = [...rows.children], at = elements.findIndex((element) => element.dataset.key === chosen);
    if (at >= 0) last = at;
    for (const [i, element] of elements.entries()) {
      element.setAttribute("aria-selected", i === at);
      element.tabIndex = i === Math.max(0, at) ? 0 : -1;
    }
  }

  function update() {
    if (!state.job) return;
    if (job !== state.job.folder) {
      [job, top] = [state.job.folder, null];
      Object.assign(asked, ANY);
      [show.value, search.value] = [asked.show, asked.search];
      choose("");
    }
    if (named() !== chosen) { choose(named()); return; }  // by a link, or the browser's way back
    const found = state.job.lines, names = [...new Set(found.map((line) => line.character))];
    if (who.dataset.names !== JSON.stringify(names)) {
      who.dataset.names = JSON.stringify(names);
      if (!names.includes(asked.character === NOBODY ? "" : asked.character)) asked.character = "";
      fill(who, h("option", { value: "" }, t("character.all")), names.map((name) => h("option", { value: name || NOBODY }, name || t("character.none"))));
      who.value = asked.character;
    }
    const seen = found.filter((line) => fits[asked.show](line) && (!asked.character || (line.character || NOBODY) === asked.character)
      && plain(`${line.text} ${line.character} ${line.actor} ${line.place} ${line.note}`).includes(plain(asked.search.trim())));
    ofAll = found.length > 1 && found.every((line) => line.error === found[0].error) ? found[0].error : "";
    keyed.show(seen, "id");
    mark();
    count.textContent = t("shown", { shown: seen.length, all: found.length });
    const counted = (status) => found.filter((line) => line.status === status).length, waiting = counted("waiting"), faulty = counted("faulty");
    all.textContent = waiting ? t("convert.all", { count: waiting }) : !found.length ? t("convert.empty") : faulty ? t("convert.faulty", { count: faulty }) : t("convert.none");
    all.disabled = !waiting || state.works.some((work) => work.kind === "convert" && !work.about.ids.length && ["waiting", "running"].includes(work.state));
    if (chosen) open();
  }

  function step(by) {
    const seen = [...rows.children], at = seen.findIndex((element) => element.dataset.key === chosen);
    const to = at >= 0 ? at + by : by > 0 ? last : last - 1;
    const next = seen[Math.max(0, Math.min(seen.length - 1, to))];
    if (!next) return;
    choose(next.dataset.key);
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  const keys = {  // by place on the keyboard, so that they work while it types Hangul
    KeyJ: () => step(1), ArrowDown: () => step(1), KeyK: () => step(-1), ArrowUp: () => step(-1),
    Digit1: () => panel.player.hear("source", true), Digit2: () => panel.player.hear("result", true),
    KeyX: () => panel.player.hear(panel.player.heard === "source" ? "result" : "source"),
    Space: () => panel.player.playPause(),
    KeyO: () => panel.mark("ok"), KeyR: () => panel.mark("retake"), KeyH: () => panel.mark("hold"), KeyU: () => panel.mark(""),
    KeyN: () => panel.note.focus(), KeyE: () => panel.text.focus(), KeyC: () => panel.convert(),
    Slash: () => search.focus(), Escape: () => choose(""),
  };
  function press(event) {
    if (!place.contains(rows)) { document.removeEventListener("keydown", press); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.code === "Escape") event.target.blur();
      return;
    }
    if (event.code === "Space" && event.target.matches("button, summary, a")) return;
    if (event.code === "Enter" && event.target.matches(".row")) choose(event.target.dataset.key);
    if (event.code in keys) { event.preventDefault(); keys[event.code](); }
  }
  document.addEventListener("keydown", press);
  choose(chosen);
  comeBack(rows, top).then(() => document.addEventListener("scroll", scrolled, true));
  return update;
}

function keysHelp() {
  const keys = [["J K", "keys.step"], ["1 2", "keys.hear"], ["X", "keys.switch"], ["Space", "keys.play"], ["O R H U", "keys.mark"], ["N", "keys.note"], ["E", "keys.text"], ["C", "keys.convert"], ["/", "keys.search"]];
  return h("p.keys", {}, keys.map(([key, what]) => h("span", {}, h("kbd", {}, key), ` ${t(what)}`)));
}
