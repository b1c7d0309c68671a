// A field for one recording, which is chosen or dropped.

import { state, t, toast } from "./api.js";
import { fileButton, h } from "./dom.js";
import { droppable } from "./dropped.js";

export function soundField(label, id, bring) {
  const named = h("small"), kinds = state.kinds.recording;
  const take = ([file]) => {
    if (!file) return;
    if (!kinds.some((kind) => file.name.toLowerCase().endsWith(kind))) { toast(t("start.left", { count: 1, names: file.name })); return; }
    named.textContent = `✓ ${file.name}`;
    bring(file);
  };
  named.textContent = t("start.drop");
  return droppable(h("div.drop", {}, h("span.what", {}, h("b", {}, label), named), fileButton(t("choose"), kinds.join(","), take, { id, "aria-label": `${label}: ${t("choose")}` })), (dropped) => take(dropped.files));
}
