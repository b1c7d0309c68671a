// Where the work goes on from a screen, so that nobody need know the order.

import { state, t } from "./api.js";
import { h } from "./dom.js";

export function nextStep(screen) {
  const job = state.job;
  if (!job?.settings.script || !job.settings.audio) return null;
  const silent = job.cast.filter((role) => !role.voice && !role.pass).length;
  const errors = job.issues.filter((issue) => issue.severity === "error").length;
  const [to, count] = job.error ? ["check", 1] : silent ? ["cast", silent] : errors ? ["check", errors] : ["lines", job.lines.length];
  return to === screen ? null : h("p.next", {}, h("a", { href: `#${to}` }, t(`next.${to}`, { count })));
}
