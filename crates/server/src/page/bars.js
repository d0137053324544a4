// Probabilities as bars, one radio button each: the chosen one is the class that the words are colored for.

import { h } from "./dom.js";
import { percent } from "./format.js";

// More labels than this are sorted by score and shown on demand; fewer stay in their places and only move.
const MOST = 8;

export const HUES = 8;

/** The color of a label: its place among the model's labels. */
export const hue = (labels, label) => String(Math.max(labels.indexOf(label), 0) % HUES);

export class Bars {
  /** `choose(label)` is called when a person chooses a class. */
  constructor(fieldset, more, choose) {
    Object.assign(this, { fieldset, more, choose, rows: new Map(), all: false, labels: [] });
    fieldset.addEventListener("change", (event) => choose(event.target.value));
    more.addEventListener("click", () => {
      this.all = !this.all;
      this.arrange();
    });
  }

  /** Rows at zero for the labels of a model. `activation` says what a score is. */
  reset(labels, activation) {
    for (const { row } of this.rows.values()) row.remove();
    this.rows.clear();
    Object.assign(this, { labels, activation, all: false, scores: null });
    for (const label of labels) {
      const input = h("input", { type: "radio", name: "class", value: label, disabled: true });
      const fill = h("span", { className: "fill" });
      const number = h("span", { className: "number" }, "–");
      const row = h(
        "label",
        { className: "bar", dataset: { hue: hue(labels, label) } },
        input,
        h("span", { className: "name" }, label),
        h("span", { className: "track" }, fill),
        number,
      );
      this.rows.set(label, { row, input, fill, number });
    }
    this.fieldset.append(...[...this.rows.values()].map(({ row }) => row));
    this.arrange();
  }

  /** `scores`: label to score, or null for a blank text. */
  show(scores) {
    this.scores = scores;
    const raw = this.activation === "identity";
    const most = raw ? Math.max(1e-9, ...Object.values(scores ?? {}).map(Math.abs)) : 1;
    const best = scores && winner(scores);
    for (const [label, { row, input, fill, number }] of this.rows) {
      const score = scores?.[label] ?? 0;
      input.disabled = !scores;
      slide(fill, Math.abs(score) / most);
      number.textContent = scores ? written(score, this.activation) : "–";
      row.classList.toggle("best", label === best);
    }
    this.arrange();
  }

  /** Marks the class that is explained. */
  mark(label) {
    for (const [name, { input }] of this.rows) input.checked = name === label;
    this.arrange();
  }

  arrange() {
    const many = this.rows.size > MOST;
    this.more.hidden = !many;
    if (!many) return;
    const order = this.labels.toSorted((a, b) => (this.scores?.[b] ?? 0) - (this.scores?.[a] ?? 0));
    order.forEach((label, place) => {
      const { row, input } = this.rows.get(label);
      row.style.order = place;
      row.hidden = !this.all && place >= MOST && !input.checked;
    });
    this.more.textContent = this.all ? "Show fewer" : `Show all ${this.labels.length} labels`;
  }
}

/** Fills a bar up to `share` of its track. It is slid, not stretched, so that its end stays round. */
export const slide = (fill, share) => {
  fill.style.transform = `translateX(${100 * Math.min(share, 1) - 100}%)`;
};

/** A score as people read it: a probability, unless the model gives none. */
export const written = (score, activation) => (activation === "identity" ? score.toFixed(3) : percent(score));

/** The label with the highest score. */
export const winner = (scores) =>
  Object.entries(scores).reduce((best, entry) => (best && best[1] >= entry[1] ? best : entry), null)?.[0] ?? null;
