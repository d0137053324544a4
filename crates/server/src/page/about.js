// What the model is: its facts and its card.

import { h } from "./dom.js";
import { count } from "./format.js";
import { render } from "./markdown.js";

/** Fills the list of facts and the card of `model`, an answer of `v1/models/NAME`. */
export function about(model, facts, fold, card) {
  const known = [
    ["Name", model.id],
    ["Kind", model.annotator],
    ["Labels", model.labels?.length > 12 ? count(model.labels.length) : model.labels?.join(", ")],
    ["Parameters", model.parameters && count(model.parameters)],
    ["Precision", model.precision],
    ["Longest text", model.max_sentence_length && `${count(model.max_sentence_length)} pieces`],
  ];
  facts.replaceChildren(
    ...known.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
  fold.hidden = !model.card;
  card.replaceChildren(...(model.card ? render(model.card) : []));
}
