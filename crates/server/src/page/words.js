// The words of a text, colored and underlined by how much they speak for a class, with numbers on hover and focus.

import { h } from "./dom.js";
import { points } from "./format.js";
import { hue } from "./bars.js";

// Weaker than this share of the strongest weight is not marked.
const FAINT = 0.04;

// Classes with numbers, the strongest, in their usual order.
const MOST = 6;

export class Words {
  constructor(box, tip) {
    Object.assign(this, { box, tip, spans: [], words: [], labels: [] });
    box.addEventListener("pointerover", (event) => this.open(event.target.closest(".word")));
    box.addEventListener("pointerleave", () => this.close());
    box.addEventListener("focusin", (event) => this.focus(event.target.closest(".word")));
    box.addEventListener("focusout", () => this.close());
    box.addEventListener("click", (event) => event.target.closest(".word")?.focus());
    box.addEventListener("keydown", (event) => this.move(event));
    addEventListener("scroll", () => this.opened && this.place(this.opened), { passive: true, capture: true });
    box.addEventListener(
      "pointerout",
      (event) => event.target === this.opened && event.target !== document.activeElement && this.close(),
    );
    addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  /** Lays out the words of `text`; offsets of the explanation count code points. */
  show(text, { words, labels, truncated }) {
    this.close();
    const characters = Array.from(text);
    const slice = (begin, end) => characters.slice(begin, end).join("");
    const nodes = [];
    let at = 0;
    this.spans = words.map(({ begin, end }, index) => {
      const word = slice(Math.max(begin, at), end);
      const shown = word.trimEnd();
      const span = h(
        "span",
        { className: "word", role: "button", tabIndex: index ? -1 : 0, dataset: { index } },
        shown,
      );
      nodes.push(slice(at, begin), span, word.slice(shown.length));
      at = Math.max(end, at);
      return span;
    });
    // What the model does not read of a long text has no weight.
    nodes.push(truncated ? h("span", { className: "unread" }, slice(at)) : slice(at));
    this.box.replaceChildren(...nodes.filter((node) => node !== ""));
    this.box.classList.remove("stale");
    Object.assign(this, { words, labels });
    this.most = Math.max(1e-6, ...words.flatMap(({ weights }) => weights.map(Math.abs)));
  }

  /** Colors the words for `label`. */
  color(label) {
    this.label = label;
    this.box.dataset.hue = hue(this.labels, label);
    const place = this.labels.indexOf(label);
    this.words.forEach(({ weights }, index) => {
      const span = this.spans[index];
      const weight = weights[place] ?? 0;
      const strength = Math.abs(weight) / this.most;
      span.dataset.word = strength < FAINT ? "none" : weight > 0 ? "for" : "against";
      span.style.setProperty("--strength", strength.toFixed(3));
      span.setAttribute("aria-label", `${span.textContent}: ${points(weight)} points for ${label}`);
    });
  }

  /** The text has changed since. */
  fade() {
    this.close();
    this.box.classList.add("stale");
  }

  clear() {
    this.close();
    this.box.replaceChildren();
    Object.assign(this, { spans: [], words: [] });
  }

  /** One stop of the Tab key for all words; arrow keys move among them. */
  focus(span) {
    if (!span) return;
    for (const other of this.spans) other.tabIndex = other === span ? 0 : -1;
    this.open(span);
  }

  move(event) {
    const index = this.spans.indexOf(document.activeElement);
    const last = this.spans.length - 1;
    const to = {
      ArrowRight: index + 1,
      ArrowLeft: index - 1,
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (index < 0 || to === undefined) return;
    event.preventDefault();
    this.spans[Math.min(Math.max(to, 0), last)].focus();
  }

  open(span) {
    if (!span || span === this.opened) return;
    this.close();
    this.opened = span;
    span.classList.add("open");
    const { weights } = this.words[span.dataset.index];
    const all = this.labels.map((label, place) => ({ label, weight: weights[place] ?? 0 }));
    const strongest = all.toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, MOST);
    this.tip.replaceChildren(
      h("b", {}, span.textContent.length > 40 ? `${span.textContent.slice(0, 40)}…` : span.textContent),
      ...all.filter((one) => strongest.includes(one)).map(({ label, weight }) => this.row(label, weight)),
      h("small", {}, "percentage points"),
    );
    this.tip.hidden = false;
    this.place(span);
  }

  row(label, weight) {
    const fill = h("i", { className: weight < 0 ? "less" : "" });
    fill.style.transform = `scaleX(${Math.abs(weight) / this.most})`;
    return h(
      "div",
      { className: label === this.label ? "tip-row chosen" : "tip-row", dataset: { hue: hue(this.labels, label) } },
      h("span", {}, label),
      h("span", { className: "tip-track" }, fill),
      h("span", { className: "number" }, points(weight)),
    );
  }

  /** Above the word, or below it where there is no room; always inside the window. */
  place(span) {
    const word = span.getClientRects()[0];
    const tip = this.tip.getBoundingClientRect();
    const left = Math.min(Math.max(word.left + word.width / 2 - tip.width / 2, 8), innerWidth - tip.width - 8);
    const above = word.top - tip.height - 8;
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${above > 8 ? above : word.bottom + 8}px`;
  }

  close() {
    this.opened?.classList.remove("open");
    this.opened = null;
    this.tip.hidden = true;
  }
}
