// A text as the model reads it: the pieces of its vocabulary, with their ids.

import * as api from "./api.js";
import { h } from "./dom.js";
import { count, counted } from "./format.js";

// A page with more would only scroll.
const MOST = 1024;

export class Pieces {
  constructor(fold, list, number, failed) {
    Object.assign(this, { fold, list, number, failed, job: null, shown: null, call: null });
    fold.addEventListener("toggle", () => this.refresh());
  }

  /** `{text, model}` of the newest answer; `most`: how many pieces the model reads. */
  update(job, most) {
    Object.assign(this, { job, most });
    return this.refresh();
  }

  async refresh() {
    if (!this.fold.open || this.job === this.shown) return;
    const job = this.job;
    this.shown = job;
    this.call?.abort();
    this.call = new AbortController();
    try {
      const [pieces] = job?.text.trim() ? await api.tokenize(job.text, job.model, this.call.signal) : [[]];
      this.show(pieces);
    } catch (error) {
      this.shown = null;
      if (!api.isAbort(error)) this.failed(error);
    }
  }

  show(pieces) {
    const over = this.most && pieces.length > this.most;
    // The last piece the model reads is the separator, which closes whatever is left.
    const read = over ? this.most - 1 : pieces.length;
    this.number.textContent = !pieces.length
      ? ""
      : over
        ? `the first ${count(this.most)} of ${counted(pieces.length, "piece")}`
        : counted(pieces.length, "piece");
    this.list.replaceChildren(
      ...pieces
        .slice(0, MOST)
        .map(({ id, text, special }, index) =>
          h(
            "li",
            { className: special ? "special" : index >= read ? "unread" : "", title: `id ${id}` },
            text,
            h("small", {}, String(id)),
          ),
        ),
    );
  }
}
