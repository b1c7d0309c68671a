// Files that were dropped, those of folders too.

/** Let files be dropped on an element.
 * @param bring Is given what was dropped, as the event has it. */
export function droppable(element, bring) {
  const over = (on) => (event) => { event.preventDefault(); element.classList.toggle("over", on); };
  element.addEventListener("dragover", over(true));
  element.addEventListener("dragleave", over(false));
  element.addEventListener("drop", (event) => { over(false)(event); bring(event.dataTransfer); });
  return element;
}

// A file beside these would be opened by the browser, in the page's place.
for (const name of ["dragover", "drop"])
  window.addEventListener(name, (event) => {
    if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  });

export async function filesOf(dropped) {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...dropped.files];
  return (await Promise.all(entries.map(within))).flat();
}

const asked = (start) => new Promise(start);

async function within(entry) {
  if (entry.name.startsWith(".")) return [];  // what a system notes for itself
  if (entry.isFile) return [await asked((done, fail) => entry.file(done, fail))];
  const reader = entry.createReader(), found = [];
  for (let some; (some = await asked((done, fail) => reader.readEntries(done, fail))).length;) found.push(...some);
  return (await Promise.all(found.map(within))).flat();
}
