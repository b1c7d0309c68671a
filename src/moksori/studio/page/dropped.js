// Files that were dropped, those of folders too.

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
