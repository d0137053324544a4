// Numbers as people read them, in the way of the documentation: thousands have commas, percentages a space.

const counts = new Intl.NumberFormat("en-US");
const SPACE = "\u00a0";

/** 12345 -> "12,345" */
export const count = (n) => counts.format(Math.round(n));

/** 1, "row" -> "1 row" */
export const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** 0.9123 -> "91.2 %" */
export function percent(p) {
  if (p > 0 && p < 0.001) return `<${SPACE}0.1${SPACE}%`;
  if (p < 1 && p > 0.999) return `>${SPACE}99.9${SPACE}%`;
  return `${(100 * p).toFixed(1)}${SPACE}%`;
}

/** 0.313 -> "+31.3" percentage points */
export function points(weight) {
  const value = (100 * weight).toFixed(1);
  return Number(value) === 0 ? "0.0" : value.startsWith("-") ? `−${value.slice(1)}` : `+${value}`;
}

/** Milliseconds with two digits that mean something. */
export const ms = (t) => (t < 1000 ? `${t < 10 ? t.toFixed(1) : Math.round(t)} ms` : `${(t / 1000).toFixed(1)} s`);

/** 123456 -> "123 kB" */
export function bytes(n) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (n < 1000 || unit === "GB") return `${n < 10 && unit !== "B" ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1000;
  }
}
