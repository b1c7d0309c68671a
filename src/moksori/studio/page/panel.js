// One line: heard, marked, changed, recorded again, and its versions.

import { get, lang, post, put, t, toast, voices } from "./api.js";
import { audition, voiceLabel } from "./audition.js";
import { button, fileButton, fill, h } from "./dom.js";
import { Player, listenButton } from "./player.js";
import { readingForm } from "./reading.js";
import { Recorder } from "./record.js";

const MARKS = [["ok", "O"], ["retake", "R"], ["hold", "H"], ["", "U"]];
const SOON = 300;  // ms until what was typed is kept, if it is not converted at once

let open = null;  // the panel that is shown
window.addEventListener("pagehide", () => open?.keep());

export class Panel {
  constructor(close, step) {
    open = this;
    this.player = new Player();
    this.line = this.asking = this.noted = null;  // the last two: typed, and not yet kept
    this.head = h("div.head");
    this.marks = h("div.marks", { role: "group", "aria-label": t("mark") },
      MARKS.map(([name, key]) => button(t(`mark.${name || "none"}`), () => this.mark(name), { "data-mark": name, title: key, class: name || "none" })));
    this.note = h("input", { type: "text", placeholder: t("note.hint"), "aria-label": t("note"), title: "N", maxLength: 4000,
      oninput: () => { this.noted = { id: this.line.id, note: this.note.value }; }, onchange: () => this.keepNote(),
      onkeydown: (event) => { if (event.key === "Enter" && !event.isComposing) this.note.blur(); } });
    this.words = h("div.words", { lang: "ko" });
    this.flags = h("ul.chips");
    this.text = h("textarea", { rows: 2, lang: "ko", "aria-label": t("text"), title: "E", maxLength: 2000 });
    this.voice = h("select", { "aria-label": t("voice") });
    this.pitch = h("input", { type: "number", step: "0.5", min: -12, max: 12, "aria-label": t("pitch") });
    this.gain = h("input", { type: "number", step: "0.5", min: -40, max: 40, "aria-label": t("gain") });
    this.effort = h("input", { type: "number", step: "0.1", min: 0, max: 1.5, "aria-label": t("effort") });
    this.only = button(t("convert.one"), () => this.convert(), { class: "main", title: "C", id: "convert-one" });
    this.undo = button(t("as.script"), () => this.reset());
    this.more = h("div.more");
    for (const field of [this.text, this.voice, this.pitch, this.gain, this.effort]) {
      field.addEventListener("change", () => this.keepSoon());
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.isComposing && field !== this.voice && (field !== this.text || event.ctrlKey || event.metaKey)) { event.preventDefault(); this.convert(); }
      });
    }
    const over = (on) => (event) => { event.preventDefault(); this.element.classList.toggle("over", on); };
    this.element = h("aside.panel", {
      "aria-label": t("line"), hidden: true, ondragover: over(true), ondragleave: over(false),
      ondrop: (event) => { over(false)(event); this.bring(event.dataTransfer.files[0]); },
    }, h("div.top", {}, this.head, button("‹", () => step(-1), { "aria-label": t("previous"), title: "K", class: "step" }),
        button("›", () => step(1), { "aria-label": t("next"), title: "J", class: "step" }),
        button("✕", close, { "aria-label": t("close"), title: "Esc", class: "close" })),
      this.player.element, this.words, this.marks, this.note, this.flags,
      h("fieldset", {}, h("legend", {}, t("change")), this.text,
        h("div.fields", {}, h("label", {}, t("voice"), this.voice), h("label", {}, t("pitch"), this.pitch), h("label", {}, t("gain"), this.gain), h("label", {}, t("effort"), this.effort)),
        h("div.buttons", {}, this.only, this.undo)),
      this.more);
  }

  show(line) {
    this.element.hidden = !line;
    const other = this.line?.id !== line?.id, before = this.line;
    if (other) this.keep();
    if (!line) { this.line = null; this.player.stop(); return; }
    this.line = line;
    if (other) this.player.awaited = false;
    fill(this.head, h("b", {}, `${line.no || line.place} · ${line.character || "—"}`), h("small", {}, [line.start && `${line.start} – ${line.end}`, line.actor, `${line.seconds} s`].filter(Boolean).join(" · ")), h("small.takename", {}, line.take, line.new_take && ` (${t("take.new")})`));
    this.player.load({
      source: !line.take ? "" : line.key && line.status !== "failed" ? `/api/outcome/${line.key}/source` : `/api/lines/${encodeURIComponent(line.id)}/source?${line.take}`,
      result: line.key ? `/api/outcome/${line.key}/result` : "",
    });
    for (const control of this.marks.children) control.setAttribute("aria-pressed", control.dataset.mark === line.mark);
    if (document.activeElement !== this.note || other) this.note.value = line.note;
    fill(this.flags, line.error && h("li.red", {}, line.error), line.stale && h("li.amber", {}, t("stale.long")), line.flags.map((flag) => h(`li.${flag.level}`, {}, flag.text)));
    this.fields(line, other, before);
    if (other || JSON.stringify(before) !== JSON.stringify(line)) this.detail(line, other);
  }

  async fields(line, other, before) {
    const wanted = { text: line.text, pitch: line.pitch, gain: line.gain, effort: line.effort };
    for (const [name, value] of Object.entries(wanted))
      if (other || (document.activeElement !== this[name] && before?.[name] !== value)) this[name].value = value;
    this.undo.disabled = !Object.keys(line.change).length;
    const known = await voices();
    const anew = this.known !== known;
    this.known = known;
    if (anew)
      fill(this.voice, h("option", { value: "" }, t("voice.none")), known.map((v) => h("option", { value: v.name, disabled: !v.usable }, voiceLabel(v))));
    if (anew || other || before?.voice !== line.voice) this.voice.value = line.voice;
  }

  async detail(line, other) {
    if (other) { fill(this.more); fill(this.words); }
    const about = await get(`lines/${encodeURIComponent(line.id)}`).catch(() => null);
    if (!about || this.line?.id !== line.id) return;
    fill(this.words, about.words.map(([word, begin, end]) => button(word, () => { this.player.seek(begin); this.player.play(); }, { title: `${begin.toFixed(2)} – ${end.toFixed(2)} s` })));
    const open = new Set([...this.more.querySelectorAll("details[open]")].map((part) => part.dataset.part));
    const part = (name, ...children) => h("details", { "data-part": name, open: open.has(name) }, h("summary", {}, t(`part.${name}`)), children);
    const hearing = this.hearing?.id === line.id ? this.hearing.element : audition(line.id, line.voice, async (voice) => post("change", { id: line.id, values: { voice } }), t("use.line"));
    this.hearing = { id: line.id, element: hearing };
    const sign = `${line.id} ${line.take}`;  // a recording in hand outlives what else changes
    const taking = this.taking?.sign === sign ? this.taking.element : this.takes(line);
    this.taking = { sign, element: taking };
    fill(this.more,
      part("audition", hearing),
      part("take", taking),
      part("versions", h("ol.versions", {}, about.versions.map((version) => this.version(line, version)))),
      part("reading", readingForm(about.reading)),
      about.picture && part("alignment", h("img.alignment", { alt: t("part.alignment"), src: `/api/outcome/${line.key}/picture`, loading: "lazy" })),
      Object.keys(about.metrics).length > 0 && part("metrics", h("dl", {}, Object.entries(about.metrics).map(([name, value]) => [h("dt", {}, t(`metric.${name}`)), h("dd", {}, value.toFixed(2))]))));
  }

  version(line, version) {
    const about = [version.voice || t("pass"), version.pitch && `${version.pitch > 0 ? "+" : ""}${version.pitch}`, version.gain && `${version.gain} dB`, version.effort !== 1 && `${t("effort.short")} ${version.effort}`, version.audio].filter(Boolean).join(" · ");
    const hear = (what) => listenButton(`/api/outcome/${version.key}/${what}`, version.at, t(what));
    return h("li", { class: version.current ? "current" : "" }, hear("source"), hear("result"),
      h("span", {}, h("b", {}, new Date(version.at).toLocaleString(lang)), h("small", {}, about), h("small", { lang: "ko" }, version.text)),
      version.current ? h("small", {}, t("current")) : button(t("go.back"), () => post("back", { id: line.id, key: version.key })));
  }

  takes(line) {
    let recorder = null;
    const record = button(t("record"), async () => {
      try {
        if (recorder) { const file = await recorder.stop(); recorder = null; record.textContent = t("record"); record.classList.remove("recording"); this.bring(file); return; }
        recorder = new Recorder();
        await recorder.start();
        record.textContent = t("record.stop");
        record.classList.add("recording");
      } catch { recorder = null; toast(t("record.none")); }
    }, { id: "record" });
    return h("div.drop", {}, t("take.drop"), fileButton(t("choose"), "audio/*,.wav,.flac,.aif,.aiff", (files) => this.bring(files[0]), { id: "take" }), record,
      line.new_take && button(t("take.original"), () => post("original", { id: line.id })));
  }

  async bring(file) {
    if (!file || !this.line) return;
    await put(`lines/${encodeURIComponent(this.line.id)}/take`, file);
    toast(t("take.there"), "good");
  }

  mark(name) { if (this.line) post("mark", { id: this.line.id, state: name }); }

  async convert() {
    const line = this.line;
    if (!line) return;
    const values = this.asked();
    clearTimeout(this.asking?.timer);
    this.asking = null;
    this.player.awaited = true;
    await post("convert", { id: line.id, ids: [line.id], values });
  }

  // What the fields ask of the line that was not asked yet.
  asked() {
    const { line } = this, values = {}, text = this.text.value.trim();
    if (!text) { values.text = null; this.text.value = line.text; }  // as the script has it
    else if (text !== line.text) values.text = text;
    if (this.voice.value && this.voice.value !== line.voice) values.voice = this.voice.value;
    for (const name of ["pitch", "gain", "effort"]) {
      const value = Number(this[name].value);
      if (this[name].value !== "" && value !== line[name]) values[name] = value;
    }
    return values;
  }

  keepSoon() {
    const { id } = this.line, values = this.asked();
    clearTimeout(this.asking?.timer);
    this.asking = Object.keys(values).length ? { id, values, timer: setTimeout(() => this.keep(), SOON) } : null;
  }

  keep() {
    const { id, values, timer } = this.asking ?? {};
    clearTimeout(timer);
    this.asking = null;
    if (id) post("change", { id, values });
    this.keepNote();
  }

  keepNote() {
    if (this.noted) post("mark", this.noted);
    this.noted = null;
  }

  async reset() {
    await post("change", { id: this.line.id, values: { text: null, voice: null, pitch: null, gain: null, effort: null } });
    const { pitch, gain, effort } = this.line;
    Object.assign(this.pitch, { value: pitch });
    Object.assign(this.gain, { value: gain });
    Object.assign(this.effort, { value: effort });
  }
}
