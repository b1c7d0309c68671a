// What would go wrong, grouped, each with its fix in place.

import { get, post, put, state, t } from "./api.js";
import { betweenClicks, button, fileButton, fill, h } from "./dom.js";
import { listenButton } from "./player.js";
import { nextStep } from "./next.js";
import { readingForm } from "./reading.js";
import { settingsForm } from "./settings.js";

const ORDER = ["error", "warning", "note"];
const READING = ["doubt", "text"], SOUND = ["no_name", "several_files", "unreadable", "pace", "too_long"], VOICE = ["no_voice", "no_role", "voice", "pass_gain"];

export default function check(place) {
  const head = h("p"), next = h("div"), groups = h("div.groups", { onfocusout: () => setTimeout(update) });
  fill(place, h("section.page", {}, h("h1", {}, t("screen.check")), head, groups, next));
  const rooms = new Map();  // readings that are being fixed
  let said = "";

  function update() {
    const job = state.job, sign = JSON.stringify([job?.issues, job?.error, job?.settings]);
    betweenClicks(next, () => fill(next, nextStep("check")));
    if (!job || sign === said || place.querySelector("form:focus-within")) return;
    betweenClicks(groups, () => rebuild(job, sign));
  }

  function rebuild(job, sign) {
    said = sign;
    const errors = job.issues.filter((issue) => issue.severity === "error").length;
    head.textContent = job.error || (errors ? t("check.errors", { count: errors }) : t("check.fine"));
    head.className = job.error || errors ? "bad" : "good";
    const kinds = new Map();
    for (const issue of job.issues) {
      const key = `${ORDER.indexOf(issue.severity)} ${issue.kind}`;
      kinds.set(key, [...(kinds.get(key) ?? []), issue]);
    }
    const open = new Set([...groups.querySelectorAll("details[open]")].map((part) => part.dataset.kind));
    fill(groups, job.error && h("article.group.error", {}, h("h2", {}, t("check.settings")), settingsForm(job.settings, undefined, groups)),
      [...kinds.keys()].sort().map((key) => group(key, kinds.get(key), open)));
  }

  function group(key, issues, open) {
    const { severity, kind } = issues[0];
    return h(`details.group.${severity}`, { "data-kind": key, open: severity === "error" || open.has(key) },
      h("summary", {}, h(`b.${severity}`, {}, t(`severity.${severity}`)), ` ${t(`kind.${kind}`)} `, h("small", {}, t("count", { count: issues.length }))),
      VOICE.includes(kind) && h("p", {}, h("a", { href: "#cast" }, t("fix.cast"))),
      kind === "script" && severity === "error" && settingsForm(state.job.settings, undefined, groups),
      kind === "voice" && issues.some((issue) => issue.of_use) && settingsForm(state.job.settings, ["title", "purpose"], groups),
      kind.startsWith("channels_") && kind !== "channels_of_folder" && settingsForm(state.job.settings, ["channels"], groups),
      (kind.startsWith("no_audio") || kind === "no_name") && severity === "error" && settingsForm(state.job.settings, ["pattern"], groups),
      h("ul.issues", {}, issues.slice(0, 200).map(item)));
  }

  function item(issue) {
    const key = `${issue.kind} ${issue.line} ${issue.text}`, room = rooms.get(key) ?? h("div.room");
    const line = issue.line && state.job.lines.find((found) => found.id === issue.line);
    const named = (what) => ({ "aria-label": `${t(what)}: ${issue.place}` });
    return h("li", {},
      line?.take && listenButton(`/api/lines/${encodeURIComponent(issue.line)}/source`, issue.place),
      issue.line ? h("a", { href: `#lines/${encodeURIComponent(issue.line)}` }, issue.place) : h("b", {}, issue.place), " ", issue.text,
      issue.line && READING.includes(issue.kind) && button(t("fix.reading"), async () => { rooms.set(key, room); fill(room, readingForm((await get(`lines/${encodeURIComponent(issue.line)}`)).reading)); }, named("fix.reading")),
      issue.line && (SOUND.includes(issue.kind) || issue.kind.startsWith("no_audio")) && fileButton(t("fix.take"), "audio/*,.wav,.flac", (files) => put(`lines/${encodeURIComponent(issue.line)}/take`, files[0]), named("fix.take")),
      issue.kind === "left_behind" && button(t("fix.forget"), () => post("forget", { id: issue.place }), named("fix.forget")),
      room);
  }
  return update;
}
