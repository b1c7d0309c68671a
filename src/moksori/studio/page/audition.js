// One line in up to four voices, exactly as the job would convert it.

import { listen, post, t, voices, work } from "./api.js";
import { button, fill, h } from "./dom.js";
import { listenButton } from "./player.js";

const MOST = 4;

export function audition(id, chosen, use, label) {
  const picked = new Set(chosen.filter(Boolean));
  const place = h("div.audition"), cards = h("div.cards"), results = h("ul.heard");
  let number = null, stop = null;
  const go = button(t("audition.go"), async () => {
    number = await post("audition", { id, voices: [...picked] });
    stop ??= listen(show);
    show();
  }, { class: "main audition-go" });
  fill(place, h("p", {}, t("audition.hint")), cards, go, results);

  function show() {
    const asked = number && work(number);
    if (!asked) return;
    if (!place.isConnected && asked.state === "done") { stop?.(); stop = null; }
    go.disabled = ["waiting", "running"].includes(asked.state);
    if (asked.state === "running" || asked.state === "waiting") fill(results, h("li", {}, t("audition.waits")));
    else if (asked.state === "done")
      fill(results, Object.entries(asked.result).map(([voice, key]) => h("li", { "data-voice": voice }, listenButton(`/api/outcome/${key}/result`, voice), h("b", {}, voice),
        button(label, async () => { await use(voice); }, { class: "use" }))));
    else fill(results, h("li.bad", {}, asked.error));
  }

  voices().then((known) => fill(cards, known.map((voice) => voiceCard(voice, picked.has(voice.name), (on) => {
    if (on) picked.add(voice.name); else picked.delete(voice.name);
    for (const card of cards.children) {
      const box = card.querySelector("input");
      box.disabled = !box.checked && picked.size >= MOST;
    }
    go.disabled = !picked.size;
  }))));
  return place;
}

export function voiceCard(voice, checked, pick) {
  const box = h("input", { type: "checkbox", checked, disabled: !voice.usable, onchange: () => pick(box.checked), value: voice.name });
  return h("div.card", { "data-voice": voice.name }, h("label", {}, box, h("b", {}, voice.name)), listenButton(`/api/sample/${encodeURIComponent(voice.name)}`, voice.name),
    h("small", {}, `${t(`sex.${voice.sex}`)} · ${voice.hertz} Hz${voice.range ? ` (${voice.range.join("–")})` : ""} · ${voice.minutes} ${t("minutes")}`),
    h("small", {}, voice.consent ?? voice.licence), h("small", {}, t(`use.${voice.commercial}`)), !voice.usable && h("small.bad", {}, t("voice.refused")));
}
