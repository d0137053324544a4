// "This is wrong": what a person corrects is kept in this browser, as a file that `albertine train` takes, and sent to
// the server only where it collects corrections.

import * as api from "./api.js";
import { h } from "./dom.js";
import { counted } from "./format.js";
import { keep, load } from "./store.js";

const NAME = "albertine.corrections";
const field = (text) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The columns that `albertine train` reads by default. */
export const csv = (corrections) =>
  `text,label\r\n${corrections.map(({ text, label }) => `${field(text)},${field(label)}\r\n`).join("")}`;

export class Corrections {
  constructor({ section, title, list, note, save, clear, failed }) {
    Object.assign(this, { section, title, list, note, failed, model: null, collected: false });
    save.addEventListener("click", () => this.download());
    clear.addEventListener("click", () => this.replace([]));
  }

  /** The corrections of one model: another has other labels. */
  use(model, collected) {
    Object.assign(this, { model, collected });
    this.show();
  }

  get all() {
    return load(NAME, []);
  }

  get own() {
    return this.all.filter(({ model }) => model === this.model);
  }

  replace(own) {
    keep(NAME, [...this.all.filter(({ model }) => model !== this.model), ...own]);
    this.show();
  }

  /** The last word on a text counts. */
  add(text, label, predicted) {
    const correction = { text, label, predicted, model: this.model };
    this.replace([...this.own.filter((other) => other.text !== text), correction]);
    if (this.collected) api.correct({ text, label, model: this.model }).catch(this.failed);
  }

  show() {
    const own = this.own;
    // Not to lose the place of a keyboard when its button goes.
    const focused = this.section.contains(document.activeElement);
    this.section.hidden = !own.length;
    this.title.textContent = `Your ${own.length > 1 ? counted(own.length, "correction") : "correction"}`;
    this.list.replaceChildren(
      ...own.map((correction) =>
        h(
          "li",
          {},
          h("span", { className: "correction-text" }, correction.text),
          h(
            "span",
            { className: "correction-label" },
            h("s", {}, correction.predicted),
            " ",
            h("b", {}, correction.label),
          ),
          h(
            "button",
            {
              type: "button",
              className: "plain",
              aria: { label: `Remove the correction of “${correction.text.slice(0, 40)}”` },
              onclick: () => this.replace(this.own.filter((other) => other.text !== correction.text)),
            },
            "Remove",
          ),
        ),
      ),
    );
    this.note.replaceChildren(
      "Kept in this browser",
      this.collected ? ", and sent to this server" : "",
      ". Train on them with ",
      h("code", {}, `albertine train --input corrections.csv --model ${this.model} --output better`),
    );
    if (focused) (own.length ? this.title : document.getElementById("wrong")).focus();
  }

  download() {
    const url = URL.createObjectURL(new Blob([csv(this.own)], { type: "text/csv" }));
    h("a", { href: url, download: "corrections.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}
