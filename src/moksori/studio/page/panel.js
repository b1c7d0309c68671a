// One line: heard, marked, changed, recorded again, and its versions.

import { get, lang, post, put, refresh, state, t, toast, voices } from "./api.js";
import { audition, voiceLabel } from "./audition.js";
import { button, fileButton, fill, h, typingIn } from "./dom.js";
import { droppable } from "./dropped.js";
import { Player, listenButton } from "./player.js";
import { readingForm } from "./reading.js";
import { Recorder } from "./record.js";
import { keepers, unfinished } from "./sending.js";

const MARKS = [["ok", "O"], ["retake", "R"], ["hold", "H"], ["", "U"]];
const SOON = 300;  // ms until what was typed is kept, if it is not converted at once

const NUMBERS = ["pitch", "gain", "effort"];
const plain = (text) => text.replace(/\r\n?/g, "\n").trim();  // as a field gives it back

let open = null;  // the panel that is shown
keepers.add(() => { open?.keep(); open?.endRecording(); });
unfinished.add(() => Boolean(open?.recording));

export class Panel {
  constructor(close, step) {
    open = this;
    this.player = new Player();
    this.line = null;
    this.asked = {};  // what the fields hold that the server knows, or is being told
    this.taken = {};  // what the server said of them
    this.telling = { count: 0 };  // requests about this line that are under way
    this.noted = null;  // a note that was typed, and not sent yet
    this.seen = { note: "", state: "" };  // what note and mark were when they were changed here, so that nobody else's is lost
    this.marking = 0;  // marks that are under way
    this.recording = null;
    this.head = h("div");
    [this.status, this.count] = [h("span", { role: "status" }), h("span")];  // of the work, over which the panel lies on a phone
    this.marks = h("div.marks", { role: "group", "aria-label": t("mark") },
      MARKS.map(([name, key]) => button(t(`mark.${name || "none"}`), () => this.mark(name), { "data-mark": name, title: key, class: name || "none" })));
    this.note = h("input", { type: "text", placeholder: t("note.hint"), "aria-label": t("note"), title: "N", maxLength: 10000,
      oninput: () => { this.noted = { ...this.of, note: this.note.value, seen: { note: this.seen.note } }; }, onchange: () => this.keepNote(),
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
    this.late = false;  // whether the details are older than the line, since somebody types in them
    this.more = h("div.more", { onfocusout: () => setTimeout(() => { if (this.late && this.line) this.detail(this.line, false); }) });
    for (const field of [this.text, this.voice, this.pitch, this.gain, this.effort]) {
      field.addEventListener("change", () => this.keepSoon());
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.isComposing && field !== this.voice && (field !== this.text || event.ctrlKey || event.metaKey)) { event.preventDefault(); this.convert(); }
      });
    }
    this.element = h("aside.panel", { "aria-label": t("line"), hidden: true, tabIndex: -1 }, h("div.top", {}, h("div.head", {}, this.head, h("small.progress", {}, this.status, " ", this.count)), button("‹", () => step(-1), { "aria-label": t("previous"), title: "K", class: "step" }),
        button("›", () => step(1), { "aria-label": t("next"), title: "J", class: "step" }),
        button("✕", close, { "aria-label": t("close"), title: "Esc", class: "close" })),
      this.player.element, this.words, this.marks, this.note, this.flags,
      h("fieldset", {}, h("legend", {}, t("change")), this.text,
        h("div.fields", {}, h("label", {}, t("voice"), this.voice), h("label", {}, t("pitch"), this.pitch), h("label", {}, t("gain"), this.gain), h("label", {}, t("effort"), this.effort)),
        h("div.buttons", {}, this.only, this.undo)),
      this.more);
    droppable(this.element, (dropped) => this.bring(dropped.files[0]).catch(() => {}));  // told already
  }

  // Whose line is asked about, also when another job has been opened meanwhile.
  get of() { return { job: this.job, id: this.line.id }; }

  show(line) {
    this.element.hidden = !line;
    const folder = state.job?.folder, other = this.line?.id !== line?.id || this.job !== folder, before = other ? null : this.line;
    if (other) { this.keep(); this.endRecording(); this.telling = { count: 0 }; this.seen = {}; }
    this.job = folder;
    if (!line) { this.line = null; this.player.stop(); return; }
    this.line = line;
    if (other) this.player.awaited = false;
    fill(this.head, h("b", {}, `${line.no || line.place} · ${line.character || "—"}`), h("small", {}, [line.start && `${line.start} – ${line.end}`, line.actor, `${line.seconds} s`].filter(Boolean).join(" · ")), h("small.takename", {}, line.take, line.new_take && ` (${t("take.new")})`));
    this.working();
    this.player.load({
      source: !line.take ? "" : line.key && line.status !== "failed" ? `/api/outcome/${line.key}/source` : `/api/lines/${encodeURIComponent(line.id)}/source?${line.take}`,
      result: line.key ? `/api/outcome/${line.key}/result` : "",
    });
    for (const control of this.marks.children) control.setAttribute("aria-pressed", control.dataset.mark === line.mark);
    if (other || (before.note !== line.note && document.activeElement !== this.note && !this.noted)) this.note.value = this.seen.note = line.note;
    if (other || !this.marking) this.seen.state = line.mark;
    fill(this.flags, line.error && h("li.red", {}, line.error), line.stale && h("li.amber", {}, t("stale.long")), line.flags.map((flag) => h(`li.${flag.level}`, {}, flag.text)));
    this.fields(line, before);
    if (other || JSON.stringify(before) !== JSON.stringify(line)) this.detail(line, other);
  }

  // Whether this line is at work, and how far.
  working() {
    const at = state.works.find((work) => work.kind === "convert" && ["waiting", "running"].includes(work.state) && (!work.about.ids.length || work.about.ids.includes(this.line.id)));
    const own = at?.about.ids.length === 1;
    const said = !at ? "" : this.line.status === "begun" || own ? t("status.begun") : this.line.status === "waiting" ? t("waits") : t("work.convert");
    if (this.status.textContent !== said) this.status.textContent = said;  // which a screen reader says; not each line that is done
    this.count.textContent = at?.total > 1 ? `${at.done} / ${at.total}` : "";
    this.only.disabled = Boolean(own);
  }

  async fields(line, before) {
    for (const name of ["text", "voice", ...NUMBERS]) {
      if (before && (this.telling.count || this.taken[name] === line[name])) continue;
      this.taken[name] = line[name];
      const typed = before && this.held(name) !== this.asked[name] && (name !== "voice" || this.voice.value);  // and about to be asked
      this.asked[name] = name === "text" ? plain(line.text) : line[name];
      if (typed) continue;
      if (name === "voice") this.choose(this.asked.voice); else this[name].value = this.asked[name];
    }
    this.undo.disabled = !Object.keys(line.change).length;
    const known = await voices();
    if (this.known === known) return;
    this.known = known;
    fill(this.voice, h("option", { value: "" }, t("voice.none")), known.map((v) => h("option", { value: v.name, disabled: !v.usable }, voiceLabel(v))));
    this.choose(this.asked.voice ?? "");
  }

  // Show a voice, also one that is gone since, or misspelt.
  choose(voice) {
    this.voice.querySelector("[data-gone]")?.remove();
    if (voice && ![...this.voice.options].some((option) => option.value === voice)) this.voice.append(h("option", { value: voice, "data-gone": true }, voice));
    this.voice.value = voice;
  }

  async detail(line, other) {
    if (other) { fill(this.more); fill(this.words); }
    const { of } = this, about = await get(`lines/${encodeURIComponent(line.id)}`).catch(() => null);
    if (!about || this.line?.id !== line.id || this.job !== of.job) return;
    this.late = !other && typingIn(this.more);
    if (this.late) return;
    fill(this.words, about.words.map(([word, begin, end]) => button(word, () => { this.player.seek(begin); this.player.play(); }, { title: `${begin.toFixed(2)} – ${end.toFixed(2)} s` })));
    const open = new Set([...this.more.querySelectorAll("details[open]")].map((part) => part.dataset.part));
    const part = (name, ...children) => h("details", { "data-part": name, open: open.has(name) }, h("summary", {}, t(`part.${name}`)), children);
    const hearing = this.hearing?.id === line.id && !other ? this.hearing.element : audition(line.id, line.voice, async (voice) => { this.keep(); await post("change", { ...of, values: { voice } }); }, t("use.line"));
    this.hearing = { id: line.id, element: hearing };
    const sign = `${line.id} ${line.take}`;  // a recording in hand outlives what else changes
    const taking = this.taking?.sign === sign && !other ? this.taking.element : this.takes(line);
    this.taking = { sign, element: taking };
    const read = JSON.stringify(about.reading), typed = [...this.reading?.element.querySelectorAll("input") ?? []].some((field) => field.value);
    if (other || !this.reading || (this.reading.read !== read && !typed)) this.reading = { read, element: readingForm(about.reading) };
    fill(this.more,
      part("audition", hearing),
      part("take", taking),
      part("versions", h("ol.versions", {}, about.versions.map((version) => this.version(line, version)))),
      part("reading", this.reading.element),
      about.picture && part("alignment", h("img.alignment", { alt: t("part.alignment"), src: `/api/outcome/${line.key}/picture`, loading: "lazy" })),
      Object.keys(about.metrics).length > 0 && part("metrics", h("dl", {}, Object.entries(about.metrics).map(([name, value]) => [h("dt", {}, t(`metric.${name}`)), h("dd", {}, value.toFixed(2))]))));
  }

  version(line, version) {
    const about = [version.voice || t("pass"), version.pitch && `${version.pitch > 0 ? "+" : ""}${version.pitch}`, version.gain && `${version.gain} dB`, version.effort !== 1 && `${t("effort.short")} ${version.effort}`, version.audio].filter(Boolean).join(" · ");
    const when = new Date(version.at).toLocaleString(lang), hear = (what) => listenButton(`/api/outcome/${version.key}/${what}`, when, t(what));
    return h("li", { class: version.current ? "current" : "" }, hear("source"), hear("result"),
      h("span", {}, h("b", {}, when), h("small", {}, about), h("small", { lang: "ko" }, version.text)),
      version.current ? h("small", {}, t("current")) : button(t("go.back"), () => { const { of } = this; this.keep(); post("back", { ...of, key: version.key }); }, { "aria-label": `${t("go.back")}: ${when}` }));
  }

  takes(line) {
    const { of } = this;
    const record = button(t("record"), async () => {
      if (this.recording) { this.endRecording(); return; }
      const recorder = new Recorder(), own = this.recording = { recorder, of, begun: false };
      try { await recorder.start(); } catch {
        if (this.recording === own) this.recording = null;
        toast(t("record.none"));
        return;
      }
      if (this.recording !== own) { recorder.stop(); return; }  // ended before the microphone was there
      own.begun = true;
      record.textContent = t("record.stop");
      record.classList.add("recording");
    }, { id: "record" });
    this.unrecorded = () => { record.textContent = t("record"); record.classList.remove("recording"); };
    return h("div.drop", {}, t("take.drop"), fileButton(t("choose"), "audio/*,.wav,.flac,.aif,.aiff", (files) => this.bring(files[0]).catch(() => {}), { id: "take", "aria-label": `${t("part.take")}: ${t("choose")}` }), record,
      line.new_take && button(t("take.original"), () => post("original", of)));
  }

  // What was recorded is the line's that it was begun for.
  async endRecording() {
    if (!this.recording) return;
    const { recorder, of, begun } = this.recording;
    this.recording = null;
    this.unrecorded();
    if (begun) this.bring(await recorder.stop(), of).catch(() => {});  // told already
  }

  async bring(file, of = this.line && this.of) {
    if (!file || !of) return;
    await put(`lines/${encodeURIComponent(of.id)}/take`, file, { job: of.job });
    toast(t("take.there"), "good");
  }

  // The outcome that is on the page is the one that was heard.
  async mark(name) {
    if (!this.line) return;
    const { seen } = this, asked = { ...this.of, state: name, key: this.line.key, seen: { state: seen.state } };
    seen.state = name;
    this.marking += 1;
    await post("mark", asked).catch(() => refresh().catch(() => {}));  // told already
    this.marking -= 1;
    if (this.seen === seen && this.line && !this.marking) seen.state = this.line.mark;
  }

  async convert() {
    if (!this.line) return;
    this.player.awaited = true;
    await this.tell("convert", this.unasked(), { ids: [this.line.id] }).catch(() => {});  // told already
  }

  // What a field holds.
  held(name) {
    const { value } = this[name];
    return NUMBERS.includes(name) ? Number(value) : name === "text" ? plain(value) : value;
  }

  // What the fields ask that was not asked yet; it counts as asked from now on.
  unasked() {
    clearTimeout(this.timer);
    const values = {}, text = this.held("text");
    if (!text && this.asked.text) { values.text = null; this.text.value = plain(this.line.script); }
    else if (text !== this.asked.text) values.text = text;
    for (const name of ["voice", ...NUMBERS])
      if (this[name].value === "") this[name].value = this.asked[name];  // what is none asks nothing
      else if (this.held(name) !== this.asked[name]) values[name] = this.held(name);
    Object.assign(this.asked, values, { text: this.held("text") });
    return values;
  }

  keepSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), SOON);
  }

  // Send what was typed.
  keep() {
    const values = this.line ? this.unasked() : {};
    if (Object.keys(values).length) this.tell("change", values).catch(() => {});  // told already
    this.keepNote();
  }

  // What is refused does not count as asked, and is asked again with whatever is asked next.
  async tell(name, values, rest = {}) {
    const { of, line, telling } = this;
    telling.count += 1;
    try { await post(name, { ...of, ...rest, values }); } catch (error) {
      if (this.telling === telling) for (const key of Object.keys(values)) this.asked[key] = key === "text" ? plain(line.text) : line[key];
      throw error;
    } finally {
      telling.count -= 1;
      if (this.telling === telling && this.line) this.fields(this.line, this.line);
    }
  }

  async keepNote() {
    const { noted, telling, seen } = this;
    this.noted = null;
    if (!noted) return;
    seen.note = noted.note;
    try {
      if (await post("mark", noted) !== noted.note) toast(t("note.both", { line: noted.id }));
    } catch {
      seen.note = noted.seen.note;
      if (this.telling === telling) this.noted = { ...(this.noted ?? noted), seen: { note: seen.note } };
    }
  }

  async reset() {
    clearTimeout(this.timer);
    this.text.value = plain(this.line.script);
    const names = ["text", "voice", ...NUMBERS];
    for (const name of names) this.asked[name] = this.held(name);  // nothing of it is asked any more
    this.taken = {};
    await this.tell("change", Object.fromEntries(names.map((name) => [name, null])));
  }
}
