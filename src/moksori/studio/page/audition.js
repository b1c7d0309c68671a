// One line in up to four voices, exactly as the job would convert it.

import { listen, post, state, t, voices, work } from "./api.js";
import { button, fill, h } from "./dom.js";
import { listenButton } from "./player.js";

const MOST = 4;
export const voiceLabel = (voice) => `${voice.name} · ${t(`sex.${voice.sex}`)} · ${voice.hertz} Hz`;

// The voice that there is, and others like it, so that one click is enough to hear four.
function proposed(known, voice) {
  const own = known.find((other) => other.name === voice);
  const others = known.filter((other) => other.usable && other !== own && (!own || other.sex === own.sex));
  if (own) others.sort((a, b) => Math.abs(Math.log(a.hertz / own.hertz)) - Math.abs(Math.log(b.hertz / own.hertz)));
  return [...(own?.usable ? [own] : []), ...others].slice(0, MOST).map((other) => other.name);
}

export function audition(id, voice, use, label) {
  const picked = new Set();
  const place = h("div.audition"), cards = h("div.cards"), results = h("ul.heard");
  let number = null, stop = null;
  const go = button(t("audition.go"), async () => {
    number = await post("audition", { id, voices: [...picked] });
    stop ??= listen(show);
    show();
  }, { class: "main audition-go" });
  const line = state.job.lines.find((found) => found.id === id);
  fill(place, h("p", {}, listenButton(`/api/lines/${encodeURIComponent(id)}/source?${line.take}`, "", t("source")), " ", h("span", { lang: "ko" }, line.text)),
    h("p", {}, h("small", {}, t("audition.hint"))), cards, go, results);

  function show() {
    const asked = number && work(number);
    if (!asked) return;
    go.disabled = ["waiting", "running"].includes(asked.state);
    if (go.disabled) { fill(results, h("li", {}, t("audition.waits"))); return; }
    stop?.();
    stop = null;
    if (asked.state === "cancelled") fill(results, h("li", {}, t("cancelled")));
    else if (asked.state === "done")
      fill(results, Object.entries(asked.result).map(([name, key]) => h("li", { "data-voice": name }, key.error ? "" : listenButton(`/api/outcome/${key}/result`, name), h("b", {}, name),
          key.error ? h("span.bad", {}, key.error) : button(label, async () => { await use(name); }, { class: "use", "aria-label": `${label}: ${name}` }))));
    else fill(results, h("li.bad", {}, asked.error));
  }

  voices().then((known) => {
    for (const name of proposed(known, voice)) picked.add(name);
    const first = (other) => picked.has(other.name) ? 0 : 1;  // those that are chosen are seen at once
    fill(cards, [...known].sort((a, b) => first(a) - first(b)).map((other) => voiceCard(other, picked.has(other.name), (on) => {
      picked.delete(other.name);
      if (on) picked.add(other.name);
      if (picked.size > MOST) picked.delete(picked.values().next().value);  // the one that was picked first
      for (const box of cards.querySelectorAll("input")) box.checked = picked.has(box.value);
      go.disabled = !picked.size;
    })));
  });
  return place;
}

export function sampleButton(voice) {
  const found = listenButton(`/api/sample/${encodeURIComponent(voice.name)}`, voice.name);
  found.disabled = Boolean(voice.why);  // it would be refused
  return found;
}

export function voiceCard(voice, checked, pick) {
  const box = h("input", { type: "checkbox", checked, disabled: !voice.usable, onchange: () => pick(box.checked), value: voice.name });
  return h("div.card", { "data-voice": voice.name }, h("label", {}, box, h("b", {}, voice.name)), sampleButton(voice),
    h("small", {}, `${t(`sex.${voice.sex}`)} · ${voice.hertz} Hz${voice.range ? ` (${voice.range.join("–")})` : ""} · ${t("minutes", { number: voice.minutes })}`),
    h("small", { title: voice.licence }, voice.consent ?? voice.licence.split(" (")[0]), h("small", {}, t(`use.${voice.commercial}`)), voice.why && h("small.bad", {}, voice.why));
}
