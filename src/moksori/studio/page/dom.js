// Elements from a tag, properties and children; what every screen is made with.

export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className += ` ${value}`;
    else if (key in element && key !== "list" && key !== "style") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

export function fill(place, ...children) {
  place.replaceChildren(...children.flat(9).filter((child) => child || child === 0));
  return place;
}

export function button(label, onclick, props = {}) {
  return h("button", { type: "button", onclick, ...props }, label);
}

// A button that chooses files; the browser's own is in the browser's language.
export function fileButton(label, accept, bring, props = {}) {
  const input = h("input", { type: "file", accept, class: "hidden-file", onchange: () => { if (input.files.length) bring(input.files); input.value = ""; }, ...props });
  return h("label.file", {}, label, input);
}

export function select(options, value, onchange, props = {}) {
  const found = h("select", { onchange: (event) => onchange(event.target.value), ...props },
    options.map(([key, label]) => h("option", { value: key }, label)));
  found.value = value;
  return found;
}

/** Whether somebody is typing within an element, so that it is not to be replaced. */
export const typingIn = (element) => element !== document.activeElement && element.contains(document.activeElement)
  && document.activeElement.matches("textarea, input:not([type=checkbox])");

const LONGEST = 5000;  // ms that drawing waits for an end of a press, which may never be seen
let pressed = null;
const waiting = new Map();
function release() {
  clearTimeout(pressed);
  pressed = null;
  setTimeout(() => { const acts = [...waiting.values()]; waiting.clear(); for (const act of acts) act(); });
}
window.addEventListener("pointerdown", () => { clearTimeout(pressed); pressed = setTimeout(release, LONGEST); }, true);
for (const end of ["pointerup", "pointercancel", "dragend"]) window.addEventListener(end, release, true);

/** Replace elements, but not between the two halves of a click on them.
 * @param what Is replaced; of several acts that wait for the same the last is done. */
export function betweenClicks(what, act) {
  if (pressed) waiting.set(what, act); else act();
}

// Rows that stay the same elements while what they show is the same, or somebody is within them.
export class Keyed {
  constructor(place, make) {
    Object.assign(this, { place, make, known: new Map() });
  }

  show(items, key) { betweenClicks(this, () => this.put(items, key)); }

  put(items, key) {
    const seen = new Map(), active = document.activeElement;
    for (const item of items) {
      const id = item[key], said = JSON.stringify(item), before = this.known.get(id);
      const within = before && before.element !== active && before.element.contains(active);
      seen.set(id, within || before?.said === said ? before : { said, element: this.make(item) });
    }
    const elements = [...seen.values()].map((row) => row.element), stay = new Set(elements);
    const focused = active?.closest("[data-key]"), top = this.place.scrollTop;
    for (const child of [...this.place.children]) if (!stay.has(child)) child.remove();
    elements.forEach((element, i) => { if (this.place.children[i] !== element) this.place.insertBefore(element, this.place.children[i] ?? null); });
    this.place.scrollTop = top;
    if (focused && !focused.isConnected) seen.get(focused.dataset.key)?.element.focus({ preventScroll: true });
    this.known = seen;
  }
}

export const clock = (seconds) => {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};
