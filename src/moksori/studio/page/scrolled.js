// How far down a list of rows is, by the row at its top: the heights of rows that were never shown are guessed.

const FRAMES = 4;  // until the rows about one have their own heights

const edgeOf = (rows) => Math.max(rows.getBoundingClientRect().top, document.getElementById("top").getBoundingClientRect().bottom);

/** The row at the top of what is seen: its key, and how far below the edge it begins. */
export function topOf(rows) {
  const edge = edgeOf(rows), all = rows.children;
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle].getBoundingClientRect().bottom > edge) high = middle; else low = middle + 1;
  }
  return all[low] ? { key: all[low].dataset.key, below: all[low].getBoundingClientRect().top - edge } : null;
}

/** Show the rows as `topOf` found them. */
export async function comeBack(rows, top) {
  for (let frame = 0; top && frame < FRAMES; frame++) {
    await new Promise(requestAnimationFrame);
    const row = rows.querySelector(`[data-key="${CSS.escape(top.key)}"]`);
    if (!row?.isConnected) return;
    const scrolls = getComputedStyle(rows).overflowY === "visible" ? window : rows;  // on a phone the page
    scrolls.scrollBy(0, row.getBoundingClientRect().top - edgeOf(rows) - top.below);
  }
}
