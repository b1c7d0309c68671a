// Begin: a job that is there, a new one, its script and recordings, and what was understood of them.

import { get, post, put, state, t, toast } from "./api.js";
import { button, fileButton, fill, h } from "./dom.js";
import { settingsForm } from "./settings.js";

const SCRIPTS = ".xlsx,.xlsm,.xls,.ods,.csv,.tsv,.docx,.docm,.hwpx,.srt,.ass,.ssa,.vtt,.smi,.sami,.txt", SOUNDS = "audio/*,.wav,.flac,.aif,.aiff,.mp3,.ogg,.w64,.rf64";

/** Who fills in the form is not taken to another screen as soon as the job can be read. */
const stay = () => { location.hash ||= "start"; };

export default function start(place) {
  const jobs = h("ul.jobs"), files = h("div.files"), preview = h("div.preview", { oninput: stay, onsubmit: stay });
  const name = h("input", { type: "text", required: true, maxLength: 80, placeholder: t("start.name"), "aria-label": t("start.name") });
  const fresh = h("form.new", { onsubmit: async (event) => { event.preventDefault(); await post("new", { name: name.value }); name.value = ""; } }, name, h("button.main", {}, t("start.new")));
  fill(place, h("section.page", {}, h("h1", {}, t("start.title")), fresh, button(t("start.demo"), async () => { await post("demo"); location.hash = "lines"; }, { id: "demo" }), jobs, files, preview));
  let said = "", read = "", asked = 0;

  function update() {
    fill(jobs, state.jobs.map((job) => h("li", {}, button(job, () => post("open", { name: job }), { "aria-current": job === state.job?.name ? "true" : null }))));
    const job = state.job, sign = JSON.stringify([job?.name, job?.settings, job?.error]);
    if (sign === said) return;
    said = sign;
    if (!job) { fill(files); fill(preview); return; }
    const { settings } = job;
    fill(files, h("h2", {}, job.name), drop("script", t("start.script"), settings.script, SCRIPTS, false),
      drop("recording", t("start.recordings"), settings.track ? "" : settings.audio, SOUNDS, true),
      drop("recording", t("start.track"), settings.track ? settings.audio : "", SOUNDS, false, { track: "1" }));
    if (settings.script && !place.querySelector(".settings:focus-within")) understand(job);
  }

  function drop(kind, label, there, accept, several, query = {}) {
    const bring = async (given) => {
      const list = [...given];  // the button forgets them
      for (const [i, file] of list.entries()) {
        hint.textContent = t("start.bringing", { done: i + 1, all: list.length });
        try { await put(kind, file, query); } catch { /* told already */ }
      }
      hint.textContent = "";
      toast(t("start.brought", { count: list.length }), "good");
    };
    const hint = h("small");
    const element = h("div.drop", {
      class: there ? "there" : "",
      ondragover: (event) => { event.preventDefault(); element.classList.add("over"); },
      ondragleave: () => element.classList.remove("over"),
      ondrop: (event) => { event.preventDefault(); element.classList.remove("over"); bring(event.dataTransfer.files); },
    }, h("span.what", {}, h("b", {}, label), h("small", {}, there ? `✓ ${there}` : t("start.drop"))), fileButton(t("choose"), accept, bring, { multiple: several, "data-kind": query.track ? "track" : kind }), hint);
    return element;
  }

  async function understand(job) {
    const number = ++asked, found = await get("preview");
    if (number !== asked) return;  // an answer that came late, of what was there before
    const sign = JSON.stringify([found, job.settings, job.error]);
    if (sign === read) return;
    read = sign;
    fill(preview, h("h2", {}, t("start.understood")),
      found.error || job.error ? h("p.bad", {}, found.error || job.error) : h("p", {}, t("start.lines", { count: found.lines })),
      (found.understood ?? []).map((what) => h("p.note", {}, what)),
      [...(found.warnings ?? []), ...(found.faults ?? [])].map((why) => h("p.amber", {}, why)),
      found.rows.length ? h("div.scroll", {}, h("table", {}, h("thead", {}, h("tr", {}, found.filled.map((key) => h("th", {}, t(`column.${key}`))))),
        h("tbody", {}, found.rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))))) : null,
      settingsForm(job.settings));
  }
  return update;
}
