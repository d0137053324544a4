// What goes wrong, in a sentence at the top of the page; it goes when the next call succeeds.

import { say } from "./dom.js";

const CLEAR = {
  0: "The server does not answer. The page tries again every few seconds.",
  401: "This server needs an API key. Change the text to be asked for it again.",
  413: "This text is too long for the server. Shorten it, or label it as a file.",
  429: "The server is busy and has asked to come back later. Change the text to try again.",
};

export class Notice {
  constructor(box) {
    this.box = box;
  }

  /** An `ApiError`, or any other. */
  failed(error) {
    const sentences = [CLEAR[error.status] ?? error.message, CLEAR[error.status] ? "" : error.hint];
    this.show(
      sentences
        .filter(Boolean)
        .map((text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, "."))
        .join(" "),
      "bad",
    );
  }

  busy(seconds) {
    this.show(`The server is busy. Trying again in ${Math.ceil(seconds)} s.`, "busy");
  }

  show(text, kind) {
    this.box.dataset.kind = kind;
    this.box.hidden = false;
    say(this.box, text);
  }

  clear() {
    this.box.hidden = true;
    this.box.textContent = "";
  }
}
