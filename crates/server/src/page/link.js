// A link that keeps the text, the model and the class: behind the #, which browsers do not send to a server.

/** What the address of this page keeps. */
export function read() {
  const kept = new URLSearchParams(location.hash.slice(1));
  return { text: kept.get("text"), model: kept.get("model"), label: kept.get("class") };
}

// Longer ones do not survive mail and chat.
const LONGEST = 30_000;

/** Puts it into the address, without an entry in the history; whether there was room for it. */
export function write({ text, model, label }) {
  const kept = new URLSearchParams();
  if (text.trim()) kept.set("text", text);
  if (text.trim() && model) kept.set("model", model);
  if (text.trim() && label) kept.set("class", label);
  const all = kept.toString().replaceAll("+", "%20");
  const hash = all.length > LONGEST ? "" : all;
  history.replaceState(null, "", `${location.pathname}${location.search}${hash && `#${hash}`}`);
  return hash === all;
}

/** Copies the address; whether that worked. Outside a secure context only a selection can be copied. */
export async function copy() {
  try {
    await navigator.clipboard.writeText(location.href);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = location.href;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}
