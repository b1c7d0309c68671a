// One line that belongs to no job: a file, its text, voices.

import { put, state, t, voices, work } from "./api.js";
import { voiceCard } from "./audition.js";
import { fill, h } from "./dom.js";
import { listenButton } from "./player.js";
import { soundField } from "./sound.js";

let kept = null;  // with what was entered, while other screens are shown

export default function one(place) {
  kept ??= form();
  place.append(kept.element);
  kept.update();
  return kept.update;
}

function form() {
  const picked = new Set(), results = h("ul.heard"), cards = h("div.cards");
  let file = null;
  const recording = soundField(t("one.file"), "one-file", (given) => { file = given; ready(); });
  const text = h("textarea", { rows: 2, required: true, lang: "ko", placeholder: t("one.text.like"), "aria-label": t("one.text"), maxLength: 2000 });
  let number = null;
  const go = h("button.main", { disabled: true }, t("one.go"));
  const entered = h("form", { onsubmit: async (event) => {
    event.preventDefault();
    number = await put("one", file, { text: text.value, voice: [...picked] });
    show();
  } }, recording, h("label", {}, t("one.text"), text), cards, go);
  const element = h("section.page", {}, h("h1", {}, t("screen.one")), entered, results);
  let asked = null;
  async function choices() {
    asked = state.voices;
    const known = await voices(), usable = known.filter((voice) => voice.usable).map((voice) => voice.name);
    for (const name of picked) if (!usable.includes(name)) picked.delete(name);
    fill(cards, known.map((voice) => voiceCard(voice, picked.has(voice.name), (on) => {
      if (on) picked.add(voice.name); else picked.delete(voice.name);
      for (const card of cards.children) { const box = card.querySelector("input"); box.disabled = !usable.includes(box.value) || (!box.checked && picked.size >= 4); }
      ready();
    })));
    ready();
  }
  function ready() { go.disabled = !picked.size || !file; }

  function show() {
    const asked = number && work(number);
    if (!asked) return;
    if (asked.state === "done")
      fill(results, Object.entries(asked.result).map(([voice, made]) => h("li", { "data-voice": voice }, listenButton(`/api/one/${encodeURIComponent(made.file)}`, voice), h("b", {}, voice), h("small", {}, made.confidence === null ? t("one.wordless") : t("confidence", { value: made.confidence.toFixed(2) })), h("a", { href: `/api/one/${encodeURIComponent(made.file)}`, download: made.file }, t("download")))));
    else if (asked.state === "failed") fill(results, h("li.bad", {}, asked.error));
    else if (asked.state === "cancelled") fill(results, h("li", {}, t("cancelled")));
    else fill(results, h("li", {}, t("audition.waits")));
  }
  return { element, update: () => { show(); if (asked !== state.voices) choices(); } };
}
