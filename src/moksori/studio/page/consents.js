// The voices that somebody has consented to, and how a consent is taken back.

import { post, t } from "./api.js";
import { button, fill, h } from "./dom.js";
import { sampleButton } from "./audition.js";

export function consents(known, open) {
  const own = known.filter((voice) => voice.consent);
  return own.length ? h("details.consents", { open }, h("summary", {}, t("consents"), " ", h("small", {}, own.length)), h("ul.heard", {}, own.map(row))) : null;
}

function row(voice) {
  const room = h("div.room");
  const open = button(t("revoke"), () => { fill(room, form(voice, () => { fill(room); open.focus(); })); room.querySelector("input").focus(); }, { "aria-label": `${t("revoke")}: ${voice.name}`, class: "revoke" });
  return h("li", { "data-voice": voice.name }, sampleButton(voice), h("b", {}, voice.name), h("small", {}, [voice.consent, voice.contact].join(" · ")),
    voice.why && h("small.bad", {}, voice.why), !voice.revoked && open, room);
}

function form(voice, close) {
  const note = h("input", { placeholder: t("revoke.why"), "aria-label": t("revoke.why"), maxLength: 500 });
  return h("form.reading", { onsubmit: async (event) => { event.preventDefault(); await post("revoke", { name: voice.name, note: note.value.trim() }); } },
    h("p.bad", {}, t("revoke.sure", { voice: voice.name })), note, h("button.main", {}, t("revoke")), button(t("cancel"), close));
}
