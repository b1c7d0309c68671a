// What is asked of the server: in its order, each when the one before is answered; kept while the server is away.

const AGAIN = 1000;  // ms until it is tried again
const queue = [];
let busy = false, leaving = false, away = false;

/** Each sends what was typed in its place and not asked yet. */
export const keepers = new Set();
/** Each says whether something would be lost if the page were left now. */
export const unfinished = new Set([() => away, () => Boolean(document.querySelector("form.settings [data-changed]"))]);

/** Have nothing typed that is not asked, since what is shown is about to go. */
export function keepTyped() {
  document.activeElement?.blur();
  for (const keep of keepers) keep();
}

/** Send in turn.
 * @param send Sends once; rejects if no answer came, and is called again then.
 * @param lost Called when no answer came for the first time. */
export function inTurn(send, lost) {
  return new Promise((resolve, reject) => {
    const go = () => send().then(resolve, reject);
    if (leaving) { go(); return; }
    queue.push({ send, resolve, lost, go, sent: false });
    if (!busy) drain();
  });
}

async function drain() {
  busy = true;
  while (queue.length && !leaving) {
    const next = queue[0];
    next.sent = true;
    try {
      next.resolve(await next.send());
      queue.shift();
      away = false;
    } catch {
      if (!away) next.lost();
      away = true;
      await new Promise((wake) => setTimeout(wake, AGAIN));
    }
  }
  busy = false;
}

window.addEventListener("beforeunload", (event) => { if ([...unfinished].some((would) => would())) event.preventDefault(); });
window.addEventListener("pagehide", () => {
  leaving = true;
  for (const waiting of queue) if (!waiting.sent) waiting.go();
  keepTyped();
});
window.addEventListener("pageshow", (event) => { leaving = false; if (event.persisted) location.reload(); });
