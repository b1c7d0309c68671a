// What the script and the recordings are to be understood by: frame rate, columns, names of recordings.

import { post, state, t } from "./api.js";
import { h } from "./dom.js";

const RATES = ["", "23.976", "24", "25", "29.97", "29.97df", "30", "50", "59.94", "59.94df", "60"];
const ALL = ["fps", "start", "episode", "pattern", "title", "purpose", "columns"];
const COLUMNS = ["line", "character", "actor", "file", "no", "start", "end", "episode", "scene", "directions", "note"];

/** A form of settings.
 * @param settings As they are.
 * @param only The names of those to show.
 * @param before Where this form stood until now: what was changed there of the same job and not saved is kept. */
export function settingsForm(settings, only = settings.channels ? [...ALL, "channels"] : ALL, before = null) {
  const fields = {
    fps: () => h("label", {}, t("set.fps"), h("select", { name: "fps" }, [...new Set([...RATES, settings.fps ?? ""])].map((rate) => h("option", { value: rate, selected: rate === (settings.fps ?? "") }, rate || t("set.none"))))),
    start: () => h("label", {}, t("set.start"), h("input", { name: "start", value: settings.start ?? "", placeholder: "01:00:00:00" })),
    title: () => h("label", {}, t("set.title"), h("input", { name: "title", value: settings.title ?? "" })),
    purpose: () => h("label", {}, t("set.purpose"), h("select", { name: "purpose" }, ["", "commercial", "preview", "research"].map((use) => h("option", { value: use, selected: use === (settings.purpose ?? "") }, t(`purpose.${use}`))))),
    episode: () => h("label", {}, t("set.episode"), h("input", { name: "episode", value: settings.episode ?? "" })),
    pattern: () => {
      const counts = new Map();  // the check proposes them, line by line
      for (const issue of state.job?.issues ?? []) if (issue.values.pattern) counts.set(issue.values.pattern, (counts.get(issue.values.pattern) ?? 0) + 1);
      const proposals = h("span.proposals", {}, [...counts].map(([pattern, count]) => h("button", { type: "button", class: "proposal", onclick: () => post("settings", { values: { pattern } }) }, t("set.proposal", { pattern, count }))));
      const input = h("input", { name: "pattern", value: settings.pattern ?? "", placeholder: "{no:03d}_{character}" });
      return h("label", {}, t("set.pattern"), input, proposals);
    },
    channels: () => h("label", {}, t("set.channels"), h("input", { name: "channels", value: Object.entries(settings.channels ?? {}).map(([who, which]) => who ? `${who}=${which}` : which).join(", "), placeholder: "하나=1, 두나=2" })),
    columns: () => h("details", { open: before?.querySelector("form.settings details")?.open ?? false }, h("summary", {}, t("set.columns")), h("div.fields", {}, COLUMNS.map((key) =>
      h("label", {}, t(`column.${key}`), h("input", { name: `column.${key}`, value: settings.columns?.[key] ?? "" }))))),
  };
  const job = state.job?.folder;
  const form = h("form.settings", { "data-job": job, oninput: (event) => { event.target.dataset.changed = ""; }, onsubmit: async (event) => {
    event.preventDefault();
    const values = {}, given = new FormData(event.target), changed = [...event.target.querySelectorAll("[data-changed]")].map((field) => field.name);
    for (const name of changed) if (!name.startsWith("column.")) values[name] = given.get(name).trim();
    if (changed.some((name) => name.startsWith("column."))) {
      const columns = {};
      for (const key of COLUMNS) if (given.get(`column.${key}`)?.trim()) columns[key] = given.get(`column.${key}`).trim();
      values.columns = Object.keys(columns).length ? columns : null;
    }
    if (changed.includes("channels")) {
      const pairs = (values.channels ?? "").split(",").map((pair) => pair.trim()).filter(Boolean);
      values.channels = pairs.length ? Object.fromEntries(pairs.map((pair) => pair.includes("=") ? pair.split("=").map((part) => part.trim()).slice(0, 2) : ["", pair])) : null;
    }
    document.activeElement?.blur();
    await post("settings", { job, values });
    for (const field of document.querySelectorAll("form.settings [data-changed]")) if (changed.includes(field.name)) delete field.dataset.changed;
  } }, only.map((name) => fields[name]()), h("button.main", {}, t("set.save")));
  for (const field of before?.querySelectorAll(`form.settings[data-job="${CSS.escape(job ?? "")}"] [data-changed]`) ?? []) {
    const same = form.elements[field.name];
    if (same) { same.value = field.value; same.dataset.changed = ""; }
  }
  return form;
}
