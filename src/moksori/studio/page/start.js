// Begin: a job that is there, a new one, its script and recordings, and what was understood of them.

import { get, post, put, state, t, toast } from "./api.js";
import { betweenClicks, button, fileButton, fill, h } from "./dom.js";
import { droppable, filesOf } from "./dropped.js";
import { nextStep } from "./next.js";
import { settingsForm } from "./settings.js";

/** Who fills in the form is not taken to another screen as soon as the job can be read. */
const stay = () => { location.hash ||= "start"; };

export default function start(place) {
  const jobs = h("ul.jobs"), files = h("div.files"), preview = h("div.preview", { oninput: stay, onsubmit: stay }), next = h("div");
  const name = h("input", { type: "text", required: true, maxLength: 80, placeholder: t("start.name"), "aria-label": t("start.name") });
  const fresh = h("form.new", { onsubmit: async (event) => { event.preventDefault(); await post("new", { name: name.value }); name.value = ""; } }, name, h("button.main", {}, t("start.new")));
  fill(place, h("section.page", {}, h("h1", {}, t("start.title")), fresh, button(t("start.demo"), async () => { await post("demo"); location.hash = "lines"; }, { id: "demo" }), jobs, files, preview, next));
  let said = "", read = "", bringing = 0, asked = 0;

  function update() {
    const list = JSON.stringify([state.jobs, state.job?.name]);
    if (list !== jobs.dataset.said) {
      jobs.dataset.said = list;
      fill(jobs, state.jobs.map(({ name, title }) => h("li", {}, button(title, () => post("open", { name }), { "aria-current": title === state.job?.name ? "true" : null }))));
    }
    betweenClicks(next, () => fill(next, nextStep("start")));
    const job = state.job, sign = JSON.stringify([job?.name, job?.settings, job?.error, job?.choices, job?.lines.map((line) => line.take)]);
    if (sign === said || bringing) return;
    said = sign;
    if (!job) { fill(files); fill(preview); return; }
    const { settings } = job;
    const choose = (kind) => job.choices[kind] && h("p.proposals", {}, t(`start.choose.${kind}`), job.choices[kind].map((name) => button(name, () => post("choose", { id: kind, name }), { class: "proposal" })));
    fill(files, h("h2", {}, job.name), choose("script"), choose("audio"), drop("script", t("start.script"), settings.script, false),
      drop("recording", t("start.recordings"), settings.track ? "" : settings.audio === "recordings" ? t("start.folder") : settings.audio, true),
      drop("recording", t("start.track"), settings.track ? settings.audio : "", false, { track: "1" }));
    if (preview.dataset.job !== job.folder) { fill(preview); preview.dataset.job = job.folder; read = ""; }
    if (settings.script && !place.querySelector(".settings:focus-within")) understand(job);
  }

  function drop(kind, label, there, several, query = {}) {
    const kinds = state.kinds[kind], names = (files) => files.slice(0, 3).map((file) => file.name).join(", ") + (files.length > 3 ? " …" : "");
    const bring = async (given) => {
      const all = [...given], seen = new Set();  // the button forgets them
      const fits = all.filter((file) => kinds.some((kind) => file.name.toLowerCase().endsWith(kind)));
      const twice = fits.filter((file) => seen.size === seen.add(file.name.normalize("NFC")).size);
      const list = fits.filter((file) => !twice.includes(file)).slice(0, several ? undefined : 1), left = all.filter((file) => !fits.includes(file));
      let count = 0;
      const job = state.job.folder;
      bringing += 1;  // which has its place on the screen meanwhile
      for (const [i, file] of list.entries()) {
        hint.textContent = t("start.bringing", { done: i + 1, all: list.length });
        try { await put(kind, file, { ...query, job }); count += 1; } catch { /* told already */ }
      }
      hint.textContent = "";
      bringing -= 1;
      update();
      if (left.length) toast(t("start.left", { count: left.length, names: names(left) }));
      if (twice.length) toast(t("start.twice", { count: twice.length, names: names(twice) }));
      if (!several && fits.length > 1) toast(t("start.one", { name: fits[0].name }));
      if (count) toast(t("start.brought", { count }), "good");
    };
    const hint = h("small");
    return droppable(h("div.drop", { class: there ? "there" : "" }, h("span.what", {}, h("b", {}, label), h("small", {}, there ? `✓ ${there}` : t("start.drop"))), fileButton(t("choose"), kinds.join(","), bring, { multiple: several, "aria-label": `${label}: ${t("choose")}`, "data-kind": query.track ? "track" : kind }), hint), async (dropped) => bring(await filesOf(dropped)));
  }

  async function understand(job) {
    const number = ++asked, found = await get("preview");
    if (number !== asked || state.job?.folder !== job.folder || place.querySelector(".settings:focus-within")) return;  // an answer that came late, of what was there before
    const takes = job.settings.audio && job.lines.map((line) => line.take), sign = JSON.stringify([found, job.settings, job.error, takes]);
    if (sign === read) return;
    read = sign;
    fill(preview, h("h2", {}, t("start.understood")),
      found.error || job.error ? h("p.bad", {}, found.error || job.error) : h("p", {}, t("start.lines", { count: found.lines }), takes?.length ? ` · ${t("start.matched", { count: takes.filter(Boolean).length })}` : ""),
      (found.understood ?? []).map((what) => h("p.note", {}, what)),
      [...(found.warnings ?? []), ...(found.faults ?? [])].map((why) => h("p.amber", {}, why)),
      found.rows.length ? h("div.scroll", {}, h("table", {}, h("thead", {}, h("tr", {}, found.filled.map((key) => h("th", {}, t(`column.${key}`))), takes && h("th", {}, t("start.take")))),
        h("tbody", {}, found.rows.map((row, i) => h("tr", {}, row.map((cell) => h("td", {}, cell)), takes && h("td", {}, takes[i] || "–")))))) : null,
      settingsForm(job.settings, undefined, preview));
  }
  return update;
}
