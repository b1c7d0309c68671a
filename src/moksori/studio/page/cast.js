// Who has which voice; a line is heard in up to four before deciding.

import { post, state, t, voices } from "./api.js";
import { audition, voiceLabel } from "./audition.js";
import { consents } from "./consents.js";
import { enrolment } from "./enrol.js";
import { nextStep } from "./next.js";
import { Keyed, betweenClicks, button, clock, fill, h, select } from "./dom.js";

const NONVERBAL = ["convert", "match", "leave"];  // as cast.toml has it; the usual one first

export default function cast(place) {
  const list = h("div.castlist", { onfocusout: (event) => { if (event.relatedTarget?.closest("[data-key]") !== event.target.closest("[data-key]")) setTimeout(update); } }), next = h("div"), keyed = new Keyed(list, row), missing = h("p.bad", { id: "missing" });
  const own = enrolment(), consented = h("div");
  let known = [], trying = null, asked = null, seen = null;  // signs of the voices
  fill(place, h("section.page", {}, h("h1", {}, t("screen.cast")), missing, own.element, consented, list, next));

  function row(role) {
    const set = (values) => post("cast", { character: role.character, values });
    let voiced = role.voice ?? "", passes = role.pass ?? false;  // what is refused is shown as it still is
    const recast = async (voice) => {
      const choice = element.querySelector("select"), show = () => element.classList.toggle("missing", !choice.value && !role.pass);
      show();
      try { await set({ voice }); voiced = voice; } catch { if (choice.value === voice) choice.value = voiced; show(); }
    };
    const pass = async ({ target: box }) => {
      const { checked } = box;
      try { await set({ pass: checked || null }); passes = checked; } catch { box.checked = passes; }
    };
    const number = (name, step, least, most, usual) => {
      let said = role[name] ?? usual;
      const field = h("input", { type: "number", step, min: least, max: most, value: said, "aria-label": `${t(name)} ${role.character}`, onchange: async () => {
        if (!field.value) { field.value = said; return; }  // what is no number asks nothing
        const asked = Number(field.value);
        try { await set({ [name]: asked }); said = asked; } catch { if (Number(field.value) === asked) field.value = said; }
      } });
      return field;
    };
    const sounds = () => {  // laughs and screams
      let said = role.nonverbal ?? NONVERBAL[0];
      const field = select(NONVERBAL.map((key) => [key, t(`nonverbal.${key}`)]), said, async (nonverbal) => {
        try { await set({ nonverbal }); said = nonverbal; } catch { if (field.value === nonverbal) field.value = said; }
      }, { "aria-label": `${t("nonverbal")} ${role.character}`, title: t("nonverbal.hint") });
      return field;
    };
    const room = h("div.room"), line = typical(role.character);
    const voice = () => element.querySelector("select").value;  // also while the server is still being told
    const heard = () => line ? audition(line, voice(), (voice) => { trying = null; fill(room); return set({ voice, pass: null }); }, t("use.character")) : h("p", {}, t("audition.none"));
    const hear = button(t("audition"), () => {
      const open = trying !== role.character;
      trying = open ? role.character : null;
      fill(room, open && heard());
    }, { class: "hear", "aria-label": `${t("audition")}: ${role.character}` });
    const gone = role.voice && !known.some((v) => v.name === role.voice) ? [[role.voice, role.voice]] : [];  // removed since, or misspelt
    const options = [["", t("voice.none")], ...gone, ...known.filter((v) => v.usable || v.name === role.voice).map((v) => [v.name, voiceLabel(v)])];
    const element = h("article.role", { "data-key": role.character, class: role.voice || role.pass ? "" : "missing" },
      h("div.who", {}, h("b", {}, role.character || t("character.none")), h("small", {}, [role.actors.join(", "), t("count.lines", { count: role.lines }), clock(role.seconds)].filter(Boolean).join(" · "))),
      h("label", {}, t("voice"), select(options, voiced, recast, { "aria-label": `${t("voice")} ${role.character}` })),
      h("label", {}, t("pitch"), number("pitch", 0.5, -12, 12, 0)), h("label", {}, t("gain"), number("gain", 0.5, -40, 40, 0)), h("label", {}, t("effort"), number("effort", 0.1, 0, 1.5, 1)),
      h("label", {}, t("nonverbal"), sounds()),
      h("label.check", {}, h("input", { type: "checkbox", checked: passes, "aria-label": `${t("pass")}: ${role.character}`, onchange: pass }), t("pass")),
      hear, room);
    if (trying === role.character) fill(room, heard());
    return element;
  }

  // A line of the usual length, which can be converted.
  function typical(character) {
    const spoken = (line) => line.text.replace(/[([][^)\]]*[)\]]|[^가-힣]/g, "").length;
    const own = state.job.lines.filter((line) => line.character === character && spoken(line) > 1).sort((a, b) => spoken(a) - spoken(b));
    return own[own.length >> 1]?.id;
  }

  // The voices anew, as one may have come, or its consent have been taken back.
  async function look(sign) {
    asked = sign;
    try { known = await voices(); } catch (error) { asked = null; throw error; }  // and is asked again
    seen = sign;
    fill(consented, consents(known, Boolean(consented.querySelector("[open]"))));
    own.check();
    update();
  }

  function update() {
    own.update();
    if (asked !== state.voices) look(state.voices);
    if (!state.job || !known.length) return;
    const without = state.job.cast.filter((role) => !role.voice && !role.pass).map((role) => role.character || t("character.none"));
    missing.hidden = !without.length;
    missing.textContent = t("cast.missing", { names: without.join(", ") });
    keyed.show(state.job.cast.map((role) => ({ ...role, seen })), "character");
    betweenClicks(next, () => fill(next, nextStep("cast")));
  }
  return update;
}
