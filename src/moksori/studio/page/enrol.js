// A voice enrolled on the page: its name, recordings with their texts, and the consent of the person.

import { get, post, send, state, t, toast, voices } from "./api.js";
import { button, clock, fileButton, fill, h } from "./dom.js";
import { droppable, filesOf } from "./dropped.js";
import { listenButton } from "./player.js";
import { soundField } from "./sound.js";
import { unfinished } from "./sending.js";

const USES = ["commercial", "preview", "research"];
const stem = (name) => name.normalize("NFC").replace(/\.[^.]*$/, "");
const rows = (text) => text.split("\n").map((row) => row.trim()).filter(Boolean);
const names = (files) => files.slice(0, 3).map((file) => file.name).join(", ") + (files.length > 3 ? " …" : "");

// A text file's content, in whatever a Korean system writes; see `decode` of files.py.
async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "";
  for (const code of mark ? [mark] : ["utf-8", "euc-kr"])
    try { return rows(new TextDecoder(code, { fatal: true }).decode(bytes)).join(" "); } catch { /* the next */ }
  return "";
}

// The recordings, each with its text.
class Recordings {
  constructor() {
    this.known = new Map();  // by name without its ending
    this.texts = new Map();  // that came before their recordings
    this.list = h("ul.takes");
    this.count = h("small", { role: "status" });
    this.file = fileButton(t("choose"), [...state.kinds.recording, ".txt"].join(","), (files) => this.add([...files]), { multiple: true, id: "enrol-files" });
    const drop = droppable(h("div.drop", {}, h("span.what", {}, t("enrol.drop"), this.count), this.file), async (dropped) => this.add(await filesOf(dropped)));
    this.element = h("div", {}, drop, this.list, h("small", {}, t("enrol.paste")));
  }

  async add(files) {
    const written = files.filter((file) => /\.txt$/i.test(file.name));
    for (const file of written) this.texts.set(stem(file.name), await textOf(file));
    const fits = files.filter((file) => state.kinds.recording.some((kind) => file.name.toLowerCase().endsWith(kind)));
    const twice = [], left = files.filter((file) => !fits.includes(file) && !written.includes(file));
    for (const file of fits.sort((a, b) => a.name.localeCompare(b.name, "ko", { numeric: true })))
      if (this.known.has(stem(file.name))) twice.push(file); else this.known.set(stem(file.name), this.row(file));
    for (const [name, text] of this.texts) if (this.known.has(name)) { this.known.get(name).text.value = text; this.texts.delete(name); }
    if (left.length) toast(t("start.left", { count: left.length, names: names(left) }));
    if (twice.length) toast(t("start.twice", { count: twice.length, names: names(twice) }));
    this.show();
  }

  row(file) {
    const url = URL.createObjectURL(file), length = h("small"), sound = new Audio();
    const text = h("input", { type: "text", lang: "ko", maxLength: 2000, placeholder: t("one.text"), "aria-label": `${t("one.text")}: ${file.name}`, oninput: () => this.show(), onpaste: (event) => this.paste(event) });
    const made = { file, text, url, seconds: 0, element: h("li", {}, listenButton(url, file.name), h("span.name", {}, file.name, " ", length), text,
      button("✕", () => this.remove(file), { "aria-label": `${t("enrol.remove")}: ${file.name}` })) };
    sound.addEventListener("loadedmetadata", () => { made.seconds = sound.duration; length.textContent = clock(sound.duration); this.show(); });
    sound.preload = "metadata";
    sound.src = url;  // what a browser cannot play has no length here
    return made;
  }

  // Several rows at once: for this recording and those below it.
  paste(event) {
    const given = rows(event.clipboardData.getData("text")), fields = [...this.known.values()].map((row) => row.text);
    if (given.length < 2) return;
    event.preventDefault();
    const from = fields.indexOf(event.target);
    fields.slice(from, from + given.length).forEach((field, i) => { field.value = given[i]; });
    this.show();
  }

  remove(file) {
    const next = this.known.get(stem(file.name)).element.nextElementSibling?.querySelector("input") ?? this.file.querySelector("input");
    URL.revokeObjectURL(this.known.get(stem(file.name)).url);
    this.known.delete(stem(file.name));
    this.show();
    next.focus();
  }

  // Without those that have been learnt from.
  clear(files) {
    for (const [name, row] of this.known) if (files.includes(row.file)) { URL.revokeObjectURL(row.url); this.known.delete(name); }
    this.show();
  }

  show() {
    const all = [...this.known.values()], elements = all.map((row) => row.element);
    if (elements.length !== this.list.children.length || elements.some((element, i) => element !== this.list.children[i])) fill(this.list, elements);
    const without = all.filter((row) => !row.text.value.trim()).length, seconds = all.reduce((sum, row) => sum + row.seconds, 0);
    this.count.textContent = all.length ? t("enrol.count", { count: all.length, time: clock(seconds), without }) : t("enrol.needs");
  }
}

// Of a consent, what `moksori enroll --consent` asks for.
class Consent {
  constructor() {
    this.fields = {};
    const field = (name, props, tag = "input") => { this.fields[name] = h(tag, { name, ...props }); return h("label", {}, t(`consent.${name}`), this.fields[name]); };
    this.uses = USES.map((use) => h("input", { type: "checkbox", value: use, name: "uses" }));
    this.spoken = null;
    const spoken = soundField(t("consent.spoken.file"), "enrol-spoken", (file) => { this.spoken = file; }), later = new Date(Date.now() + 864e5).toISOString().slice(0, 10);
    this.element = h("fieldset", {}, h("legend", {}, t("consent")), h("p", {}, t("consent.hint")),
      h("div.fields", {}, field("who", { required: true }), field("contact", { required: true, placeholder: "hong@example.com" }), field("until", { type: "date", required: true, min: later })),
      field("purpose", { required: true, placeholder: t("consent.purpose.like") }), field("given", { type: "date" }),
      h("fieldset", {}, h("legend", {}, t("consent.uses")), this.uses.map((box) => h("label.check", {}, box, t(`purpose.${box.value}`)))),
      h("div.fields.two", {}, field("titles", { rows: 2 }, "textarea"), field("credit", {})),
      h("details", {}, h("summary", {}, t("consent.spoken")), field("sentence", {}),
        spoken));
  }

  get given() {
    const value = (name) => this.fields[name].value.trim();
    return {
      who: value("who"), purpose: value("purpose"), until: value("until"), contact: value("contact"), given: value("given") || null, credit: value("credit"), sentence: value("sentence"),
      uses: this.uses.filter((box) => box.checked).map((box) => box.value), titles: rows(value("titles")),
    };
  }
}

class Enrolment {
  constructor() {
    this.recordings = new Recordings();
    this.consent = new Consent();
    this.bringing = false;
    this.number = null;  // of the work that this page asked for
    this.sent = { name: "", files: [] };  // with it
    this.name = h("input", { name: "name", required: true, maxLength: 60, oninput: () => this.check() });
    this.again = h("input", { type: "checkbox", name: "replace" });
    this.replace = h("label.check", { hidden: true }, this.again, t("enrol.replace"));
    this.missing = h("p.bad", { hidden: true });
    this.note = h("small", { role: "status" });
    this.go = h("button.main", { id: "enrol-go" }, t("enrol.go"));
    this.result = h("div.enrolled", { role: "status" });
    this.form = h("form", { onsubmit: (event) => this.submit(event) },
      h("label", {}, t("enrol.name"), this.name), h("p", {}, this.replace),
      h("fieldset", {}, h("legend", {}, t("enrol.recordings")), this.recordings.element), this.consent.element,
      h("p.buttons", {}, this.go, this.note));
    this.element = h("details.enrol", { id: "enrol", ontoggle: () => this.look() }, h("summary", {}, t("enrol")), h("p", {}, t("enrol.hint")), this.missing, this.form, this.result);
    this.recordings.show();
  }

  // Whether it can be done at all.
  async look() {
    if (!this.element.open) return;
    const { missing } = await get("enrolment");
    this.missing.hidden = !missing;
    this.missing.textContent = missing;
    this.lacking = Boolean(missing);
    this.update();
  }

  async check() {
    const same = (await voices()).find((voice) => voice.name === this.name.value.trim().normalize("NFC"));
    this.name.setCustomValidity(same && !same.enrolled ? t("enrol.taken") : "");
    this.replace.hidden = !same?.enrolled;
    this.again.required = Boolean(same?.enrolled);
    if (!same?.enrolled) this.again.checked = false;
  }

  async submit(event) {
    event.preventDefault();
    const taken = [...this.recordings.known.values()], files = taken.map((row) => row.file), { spoken } = this.consent;
    if (!files.length) { toast(t("enrol.needs")); return; }
    const texts = Object.fromEntries(taken.map((row) => [row.file.name.normalize("NFC"), row.text.value.trim()]));
    this.bringing = true;
    this.update();
    let id = null;
    try {
      id = await post("enrol_begin", { name: this.name.value, consent: this.consent.given, replace: this.again.checked });
      for (const [i, file] of files.entries()) {
        this.note.textContent = t("start.bringing", { done: i + 1, all: files.length });
        await send(`enrolment/${id}/recording`, file);
      }
      if (spoken) await send(`enrolment/${id}/spoken`, spoken);
      this.sent = { name: this.name.value, files };
      this.number = await post("enrol", { id, texts });
    } catch {  // told already
      if (id) post("enrol_drop", { id }).catch(() => {});
    }
    this.note.textContent = "";
    this.bringing = false;
    this.update();
  }

  update() {
    const last = state.works.findLast((work) => work.kind === "enrol"), busy = ["waiting", "running"].includes(last?.state);
    this.go.disabled = this.bringing || busy || this.lacking;
    const sign = JSON.stringify([last?.number, last?.state]);
    if (sign === this.said) return;
    this.said = sign;
    if (last?.state === "done" && last.number === this.number) {
      this.recordings.clear(this.sent.files);
      if (this.name.value === this.sent.name) this.name.value = "";
    }
    this.check();
    fill(this.result, last && this.outcome(last));
  }

  outcome(work) {
    if (work.state === "failed") return h("p.bad", {}, work.error);
    if (work.state === "cancelled") return h("p", {}, t("enrol.cancelled", work.about));
    if (work.state !== "done") return h("p", {}, t("enrol.running", work.about));
    const { voice, left_out: left } = work.result;
    return [h("p.good", {}, listenButton(`/api/sample/${encodeURIComponent(voice)}`, voice), " ", t("enrolled", work.result)),
      left.length > 0 && h("p", {}, t("enrol.left", { count: left.length })), h("ul.issues", {}, left.map((why) => h("li", {}, why)))];
  }
}

let kept = null;  // with what was entered, while other screens are shown
unfinished.add(() => [...kept?.recordings.known.values() ?? []].some((row) => !kept.sent.files.includes(row.file)));
export const enrolment = () => (kept ??= new Enrolment());
