// The whole: deliver it, hear reel and stems, and see what is to be recorded again, actor by actor.

import { get, post, state, t } from "./api.js";
import { button, fill, h, select } from "./dom.js";

const PARTS = ["lines", "reel", "edl", "otio", "reaper", "aaf", "markers", "dapt", "subtitles", "timings", "words", "mouth", "visemes", "issues", "retakes", "report", "single"];

export default function reel(place) {
  const form = h("div.settings", { onfocusout: () => setTimeout(update) }), go = button(t("export"), () => post("export"), { class: "main", id: "export" });
  const note = h("p"), outdated = h("p.amber", { id: "outdated" }), mixer = h("div.mixer"), files = h("div.files"), retakes = h("div.retakes");
  fill(place, h("section.page", {}, h("h1", {}, t("screen.reel")), form, h("div.buttons", {}, go), note, outdated, mixer, h("h2", {}, t("delivered")), files, h("h2", {}, t("retakes")), retakes));
  let said = "", exports = -1;

  const fields = () => [...form.querySelectorAll("select, input, summary")];

  // What is refused is shown as it still is.
  async function settings(values) {
    try { await post("settings", { values }); } catch {
      const at = fields().indexOf(document.activeElement);
      said = "";
      update();
      fields()[at]?.focus();
    }
  }

  function update() {
    const job = state.job;
    if (!job) return;
    const sign = JSON.stringify(job.settings);
    if (sign !== said && !(said && form.matches(":focus-within"))) {  // whoever goes through it by keys stays where he is
      said = sign;
      const { without } = job.settings, open = form.querySelector("details")?.open;
      fill(form, h("label", {}, t("set.loudness"), select(["korea", "netflix", "premix", "ebu", "none"].map((n) => [n, t(`loudness.${n}`)]), job.settings.loudness, (loudness) => settings({ loudness }))),
        h("label", {}, t("set.stems"), select(["parts", "full"].map((n) => [n, t(`stems.${n}`)]), job.settings.stems, (stems) => settings({ stems }))),
        h("label", {}, t("set.length"), h("input", { value: job.settings.length ?? "", placeholder: "00:22:30:00", onchange: (e) => settings({ length: e.target.value.trim() }) })),
        h("label", {}, t("set.floor"), select(["room", "silence"].map((n) => [n, t(`floor.${n}`)]), job.settings.floor, (floor) => settings({ floor }))),
        h("label", {}, t("set.lang"), select([["ko", "한국어"], ["en", "English"]], job.settings.lang, (lang) => settings({ lang }))),
        h("details", { open }, h("summary", {}, t("set.parts")), h("div.parts", {}, PARTS.map((name) => h("label.check", {}, h("input", { type: "checkbox", value: name, checked: !without.includes(name), onchange: () => {
          const left = [...form.querySelectorAll(".parts input:not(:checked)")].map((box) => box.value);
          settings({ without: [...without.filter((name) => !PARTS.includes(name)), ...left] });
        } }), t(`deliver.${name}`))))));
    }
    const faulty = job.lines.filter((line) => line.status === "faulty").length, waiting = job.lines.filter((line) => line.status === "waiting").length;
    fill(note, job.error && h("span.bad", {}, job.error, " "), faulty ? h("span.amber", {}, t("reel.faulty", { count: faulty }), " ") : "", waiting ? t("reel.waiting", { count: waiting }) : "");
    fill(outdated, job.outdated ? t("reel.outdated", { count: job.outdated }) : "");
    go.disabled = job.lines.length === faulty;
    const done = state.works.filter((work) => work.kind === "export" && work.state === "done").length + (job.elsewhere ? 0.5 : 0);
    if (done !== exports) { exports = done; deliveredFiles(); }
    list(job.lines.filter((line) => line.look && line.mark !== "ok"));
  }

  async function deliveredFiles() {
    const found = await get("delivered");
    const link = (file) => h("li", {}, h("a", { href: `/api/delivered/${file.path.split("/").map(encodeURIComponent).join("/")}`, target: file.path.endsWith(".html") ? "_blank" : null }, file.path.split("/").pop()), h("small", {}, size(file.bytes)));
    const top = found.filter((file) => !file.path.includes("/")), folders = [...new Set(found.filter((file) => file.path.includes("/")).map((file) => file.path.split("/")[0]))];
    fill(files, found.length ? h("ul.delivered", {}, top.map(link)) : h("p", {}, t("delivered.none")),
      folders.map((folder) => h("details", {}, h("summary", {}, `${folder}/`), h("ul.delivered", {}, found.filter((file) => file.path.startsWith(`${folder}/`)).map(link)))));
    mix(found.filter((file) => file.path.startsWith("stems/") && file.seconds), found.find((file) => /^reel.*\.wav$/.test(file.path) && file.seconds));
  }

  // The stems together, one clock; any may be silenced or heard alone. A stem is files with silence between.
  function mix(stems, whole) {
    if (!whole) { fill(mixer); return; }
    const url = (path) => `/api/delivered/${path.split("/").map(encodeURIComponent).join("/")}`;
    const tracks = [];
    for (const file of stems) {
      const name = file.path.slice(6, -4).replace(/_\d\d(\.\d\d){3}$/, ""), sound = new Audio();
      sound.preload = "none"; sound.src = url(file.path);
      let track = tracks.find((track) => track.name === name);
      if (!track) tracks.push(track = { name, parts: [], mute: false, solo: false });
      track.parts.push({ sound, begin: file.begin - whole.begin, end: file.begin - whole.begin + file.seconds });
    }
    const main = h("audio", { controls: true, preload: "metadata", src: url(whole.path), "aria-label": t("reel.all") });
    const hear = () => {
      const solo = tracks.some((track) => track.solo), all = !solo && tracks.every((track) => !track.mute);
      main.muted = !all;
      for (const track of tracks) {
        track.silent = all || track.mute || (solo && !track.solo);
        for (const part of track.parts) follow(track, part, 0);
      }
    };
    // One part in time with the reel, if it is off by more than so many seconds.
    const follow = (track, part, slack) => {
      const now = main.currentTime, { sound, begin, end } = part;
      if (track.silent || main.paused || now < begin || now >= end) { sound.pause(); return; }
      if (Math.abs(sound.currentTime - (now - begin)) > slack) sound.currentTime = now - begin;
      if (sound.paused) sound.play().catch(() => {});
    };
    for (const event of ["play", "pause", "seeked"]) main.addEventListener(event, hear);
    main.addEventListener("timeupdate", () => tracks.forEach((track) => track.parts.forEach((part) => follow(track, part, 0.08))));
    const toggle = (track, name) => { const control = button(t(name), () => { track[name] = !track[name]; control.setAttribute("aria-pressed", track[name]); hear(); }, { "aria-pressed": "false", "aria-label": `${t(name)}: ${track.name}` }); return control; };
    fill(mixer, main, h("ul.stems", {}, tracks.map((track) => h("li", {}, h("b", {}, track.name), toggle(track, "mute"), toggle(track, "solo")))));
  }

  function list(lines) {
    const actors = new Map();
    for (const line of lines) actors.set(line.actor || line.character, [...(actors.get(line.actor || line.character) ?? []), line]);
    fill(retakes, lines.length ? [...actors].map(([actor, own]) => h("section", {}, h("h3", {}, actor || "—", h("small", {}, t("count.lines", { count: own.length }))),
      h("ul.issues", {}, own.map((line) => h("li", {}, h("a", { href: `#lines/${encodeURIComponent(line.id)}` }, line.start ? `${line.start} – ${line.end}` : line.place), " ", h(`b.${line.mark || "none"}`, {}, t(`mark.${line.mark || "none"}`)), " ", h("span", { lang: "ko" }, line.text), line.note && h("small.note", {}, ` “${line.note}”`)))))) : h("p", {}, t("retakes.none")));
  }
  return update;
}

const size = (bytes) => bytes > 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1000)} kB`;
