// How a line is read, and how a word's reading is added to the show's own list.

import { get, post, t } from "./api.js";
import { button, fill, h } from "./dom.js";

export function readingForm(reading) {
  const word = h("input", { type: "text", placeholder: t("word"), "aria-label": t("word"), name: "word" });
  const said = h("input", { type: "text", placeholder: t("reading"), "aria-label": t("reading"), name: "reading" });
  const shown = h("p", { lang: "ko" });
  const form = h("form.reading", { onsubmit: async (event) => {
    event.preventDefault();
    document.activeElement?.blur();
    await post("lexicon", { word: word.value, reading: said.value });
    word.value = said.value = "";
    if (shown.dataset.text) fill(shown, (await get(`reading?text=${encodeURIComponent(shown.dataset.text)}`)).pronounced ?? "");
  } }, word, said, h("button.main", {}, t("reading.add")));
  if (reading.error) fill(shown, h("span.bad", {}, reading.error));
  else fill(shown, reading.normalized, h("br"), `[${reading.pronounced}]`);
  const doubts = (reading.doubts ?? []).map((doubt) => h("li", {}, h("span", { lang: "ko" }, `${doubt.text} → ${doubt.reading}`), h("small", {}, doubt.why),
    button(t("reading.fix"), () => { word.value = doubt.text; said.value = doubt.reading; said.focus(); })));
  return h("div", {}, shown, doubts.length ? h("ul.doubts", {}, doubts) : null, form);
}
