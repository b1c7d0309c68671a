// Source and result on one playhead: two waves, one time, one of them heard.

import WaveSurfer from "./wavesurfer.js";
import { t } from "./api.js";
import { button, h } from "./dom.js";

let playing = null;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const END = 0.5;  // seconds before a sound's end, from where Chromium does not find its way in a FLAC, and gives it up

const within = (wave, at) => Math.max(0, Math.min(at, wave.getDuration() - END));

const STEP = 0.5, LEAP = 2;  // seconds that keys move the playhead by
const MOVES = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -LEAP, PageUp: LEAP, Home: -Infinity, End: Infinity };

export class Player {
  constructor() {
    this.waves = {};
    this.heard = "result";
    this.sought = null;  // where the playhead was put while nothing plays: a browser is late to know
    this.awaited = false;  // whether the next result is to be heard as soon as it is there
    const slider = (name) => h("div.wave", { role: "slider", "aria-label": `${t(name)}: ${t("playhead")}`, "aria-valuemin": 0, onkeydown: (event) => this.move(event), onfocus: () => this.tell() });
    this.rows = { source: slider("source"), result: slider("result") };
    this.toggle = button("▶", () => this.playPause(), { class: "main play", "aria-label": t("play"), title: "Space" });
    this.time = h("span.time", {}, "0.00");
    this.choices = Object.fromEntries(["source", "result"].map((name, i) =>
      [name, button(t(name), () => this.hear(name, true), { title: `${i + 1}`, "aria-pressed": "false", class: "choice" })]));
    this.element = h("div.player", {},
      h("div.transport", {}, this.toggle, this.choices.source, this.choices.result, this.time),
      h("div.tracks", {}, h("label", {}, t("source")), this.rows.source, h("label", {}, t("result")), this.rows.result));
  }

  load(urls) {
    const sign = JSON.stringify(urls);
    if (sign === this.sign) return;
    this.sign = sign;
    this.stop();
    for (const wave of Object.values(this.waves)) wave.destroy();
    this.waves = {};
    for (const [name, url] of Object.entries(urls)) {
      this.choices[name].disabled = !url;
      this.rows[name].replaceChildren();
      if (!url) { this.rows[name].append(h("small", {}, t("nothing.yet"))); continue; }
      const wave = WaveSurfer.create({
        container: this.rows[name], url, interact: false, height: 52, normalize: true, barWidth: 2, barGap: 1, barRadius: 1,
        waveColor: colour(`--wave-${name}`), progressColor: colour(`--played-${name}`), cursorColor: "var(--red)",
      });
      const face = wave.getWrapper();  // whose own clicks seek to the very end
      face.addEventListener("click", (event) => { const { left, width } = face.getBoundingClientRect(); this.seek(wave.getDuration() * (event.clientX - left) / width); });
      wave.on("timeupdate", (at) => this.heard === name && this.follow(name, at));
      wave.on("finish", () => this.heard === name && this.stop());
      wave.on("ready", () => { this.tell(); if (name === "result" && this.awaited) { this.awaited = false; this.hear(name, true); } });
      wave.on("error", () => { this.rows[name].replaceChildren(h("small", {}, t("gone"))); this.tell(); });
      this.waves[name] = wave;
    }
    this.hear(this.waves.result ? "result" : "source");
    this.tell();  // also where there is nothing to hear
  }

  get wave() { return this.waves[this.heard]; }

  follow(name, at) {
    this.time.textContent = at.toFixed(2);
    for (const [other, wave] of Object.entries(this.waves))
      if (other !== name && Math.abs(wave.getCurrentTime() - within(wave, at)) > 0.03) wave.setTime(within(wave, at));
  }

  get at() {
    const now = this.wave?.getCurrentTime() ?? 0;
    return this.wave?.isPlaying() ? now : this.sought ?? now;
  }

  seek(at) {
    this.sought = this.wave ? within(this.wave, at) : null;
    for (const wave of Object.values(this.waves)) wave.setTime(within(wave, at));
    this.tell();
  }

  // The wave that is heard is a slider to the keyboard.
  move(event) {
    if (!(event.key in MOVES) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();  // the arrows are not the list's here
    if (this.wave) this.seek(this.at + MOVES[event.key]);
  }

  // Where the playhead is, for screen readers; not at each moment of what plays, which they would talk over.
  tell() {
    for (const [name, row] of Object.entries(this.rows)) {
      const wave = this.waves[name], { at } = this, all = wave?.getDuration() ?? 0;
      row.tabIndex = wave && name === this.heard ? 0 : -1;
      const said = { disabled: !wave, valuemax: all.toFixed(2), valuenow: at.toFixed(2), valuetext: row.textContent || t("playhead.at", { at: at.toFixed(1), all: all.toFixed(1) }) };
      for (const [key, value] of Object.entries(said)) row.setAttribute(`aria-${key}`, value);
    }
  }

  // Switches what is heard without losing the place.
  hear(name, play = false) {
    if (!this.waves[name]) return;
    const at = this.wave?.getCurrentTime() ?? 0, before = this.wave, went = before?.isPlaying();
    this.heard = name;
    for (const [key, choice] of Object.entries(this.choices)) choice.setAttribute("aria-pressed", key === name);
    for (const [key, row] of Object.entries(this.rows)) row.classList.toggle("heard", key === name);
    if (before && before !== this.wave) { before.pause(); this.sought = null; this.wave.setTime(at < this.wave.getDuration() - END ? at : 0); }
    this.tell();
    if (went || play) this.play();
  }

  play() {
    if (!this.wave) return;
    if (playing && playing !== this) playing.stop();
    hush();
    playing = this;
    this.sought = null;
    this.wave.play()?.catch(() => {});
    this.offer("❚❚", "pause");
  }

  stop() {
    this.wave?.pause();
    this.sought = null;
    this.offer("▶", "play");
    this.tell();
  }

  // What the button would do now.
  offer(sign, name) {
    this.toggle.textContent = sign;
    this.toggle.setAttribute("aria-label", t(name));
  }

  playPause() { if (this.wave?.isPlaying()) this.stop(); else this.play(); }

  destroy() {
    this.stop();
    for (const wave of Object.values(this.waves)) wave.destroy();
    this.waves = {};
    this.sign = "";
  }
}

// A small player of one sound, of which one plays at a time on the whole page.
let sounding = null;
function hush() {
  if (!sounding) return;
  sounding.sound.pause();
  sounding.control.textContent = "▶";
  sounding = null;
}

export function playOne(url, control) {
  const again = sounding?.url === url;
  hush();
  if (again) return;
  playing?.stop();
  const sound = new Audio(url);
  sounding = { url, sound, control };
  control.textContent = "❚❚";
  const over = () => { if (sounding?.sound === sound) hush(); };
  sound.addEventListener("ended", over);
  sound.play().catch(over);
}

export const listenButton = (url, label = "", word = "") => {
  const sign = h("span", {}, "▶");
  return button([sign, word && ` ${word}`], () => playOne(url, sign), { class: "listen", "aria-label": `${t("play")} ${word} ${label}` });
};
