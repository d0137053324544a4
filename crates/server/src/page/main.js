// The page: what is typed, the model that reads it, and the class that is explained.

import * as api from "./api.js";
import { about } from "./about.js";
import { Bars, hue, winner, written } from "./bars.js";
import { Corrections } from "./corrections.js";
import { byId, h, say } from "./dom.js";
import { Files } from "./files.js";
import { ms } from "./format.js";
import { askForKey } from "./key.js";
import * as link from "./link.js";
import { Live } from "./live.js";
import { Notice } from "./notice.js";
import { Pieces } from "./pieces.js";
import { Words } from "./words.js";

const text = byId("text");
const notice = new Notice(byId("notice"));
const words = new Words(byId("words"), byId("tip"));
const bars = new Bars(byId("bars"), byId("more-bars"), choose);
const pieces = new Pieces(byId("pieces-fold"), byId("pieces"), byId("pieces-count"), failed);
new Files({
  drop: byId("drop"),
  input: byId("file"),
  pick: byId("pick"),
  job: byId("job"),
  model: () => model,
});
const corrections = new Corrections({
  section: byId("corrections"),
  title: byId("corrections-title"),
  list: byId("corrections-list"),
  note: byId("corrections-note"),
  save: byId("corrections-save"),
  clear: byId("corrections-clear"),
  failed,
});
const live = new Live({ scores: showScores, explaining, explained, failed });

let model = null;
let predicted = null;
// The class that is explained: the predicted one, until a person chooses another.
let chosen = null;
let explanation = null;
// Whether the text is an example, which the first click replaces.
let untouched = false;

const explainedClass = () => chosen ?? predicted;
const method = () => document.querySelector("input[name=method]:checked").value;

/** The text has changed; `fresh`: it is another one. */
function changed(fresh = false) {
  if (!model) return void start();
  if (fresh) chosen = null;
  toggleRight(false);
  words.fade();
  const job = { model: model.id, text: text.value, method: method() };
  if (!text.value.trim()) blank(job);
  live.update(job, fresh);
}

function blank(job) {
  predicted = explanation = null;
  bars.show(null);
  words.clear();
  say(byId("verdict"), "Nothing to read yet");
  byId("verdict").dataset.empty = "";
  say(byId("timing"), "A blank text has no class");
  say(byId("spoken"), "");
  say(byId("why-note"), "Type a text, or choose an example.");
  say(byId("text-note"), "\u00a0");
  byId("legend").hidden = true;
  byId("wrong").disabled = true;
  pieces.update(job, model.max_sentence_length);
  link.write(job);
}

function showScores(job, scores, truncated, time) {
  notice.clear();
  if (!scores || !text.value.trim()) return;
  predicted = winner(scores);
  bars.show(scores);
  bars.mark(explainedClass());
  const verdict = byId("verdict");
  delete verdict.dataset.empty;
  verdict.dataset.hue = hue(model.labels, predicted);
  verdict.replaceChildren(
    predicted,
    " ",
    h("span", { className: "number" }, written(scores[predicted], model.activation)),
  );
  byId("timing").textContent = `answered in ${ms(time)}`;
  say(
    byId("text-note"),
    truncated ? `Only the first ${model.max_sentence_length} pieces of this text are read` : "\u00a0",
  );
  byId("wrong").disabled = false;
  pieces.update(job, model.max_sentence_length);
}

/** Typing has paused: the time for what would be too much at every key. */
function explaining(job) {
  link.write({ ...job, label: chosen });
  say(byId("why-note"), "Weighing the words …");
}

function explained(job, answer, time) {
  notice.clear();
  explanation = answer;
  words.show(job.text, answer);
  byId("legend").hidden = false;
  const name = answer.method === "shap" ? "Partition SHAP" : "Leave one out";
  byId("why-note").textContent = `${name} · ${answer.evaluations} evaluations · ${ms(time)}`;
  colored();
  const best = Math.max(...answer.values);
  say(byId("spoken"), `${answer.labels[answer.values.indexOf(best)]}, ${written(best, model.activation)}`);
}

function colored() {
  const label = explainedClass();
  say(byId("why-title"), label ? `Why ${label}?` : "Why?");
  bars.mark(label);
  if (!explanation) return;
  words.color(label);
  byId("legend-class").textContent = label;
  byId("legend").dataset.hue = hue(model.labels, label);
}

function choose(label) {
  chosen = label === predicted ? null : label;
  colored();
  link.write({ model: model.id, text: text.value, label: chosen });
}

let reconnecting = 0;

function failed(error) {
  if (api.isAbort(error)) return;
  notice.failed(error);
  say(byId("timing"), "No answer to this text yet");
  say(byId("why-note"), "");
  if ([0, 503].includes(error.status) && !reconnecting) reconnecting = setInterval(reconnect, 2000);
}

/** Goes on by itself when the server is back. */
async function reconnect() {
  if (!(await api.alive())) return;
  clearInterval(reconnecting);
  reconnecting = 0;
  notice.clear();
  if (model) changed();
  else start();
}

async function useModel(id) {
  say(byId("timing"), "Loading the model …");
  try {
    model = await api.model(id);
  } catch (error) {
    return failed(error);
  }
  notice.clear();
  byId("model").value = model.id;
  bars.reset(model.labels, model.activation);
  about(model, byId("facts"), byId("card-fold"), byId("card"));
  corrections.use(model.id, collected);
  examples(model.examples ?? []);
  rightLabels();
}

let collected = false;

function examples(all) {
  byId("examples").hidden = !all.length;
  byId("examples").replaceChildren(
    ...all.map((example) =>
      h("button", { type: "button", className: "chip", title: example, onclick: () => put(example) }, example),
    ),
  );
}

/** Another text, as a whole. */
function put(another) {
  text.value = another;
  grow();
  changed(true);
}

/** The box is as high as its text, up to what the style allows. */
function grow() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
}

function rightLabels() {
  byId("right-labels").replaceChildren(
    ...model.labels.map((label) =>
      h("button", { type: "button", className: "chip", value: label, onclick: () => correct(label) }, label),
    ),
  );
}

function toggleRight(open) {
  byId("right").hidden = !open;
  byId("wrong").setAttribute("aria-expanded", String(open));
  for (const button of byId("right-labels").children) button.hidden = button.value === predicted;
}

function correct(label) {
  corrections.add(text.value, label, predicted);
  toggleRight(false);
  byId("wrong").focus();
  say(byId("timing"), `Noted: ${label}. Find it under “Your corrections”.`);
  say(byId("spoken"), `Noted: ${label}`);
}

text.addEventListener("input", () => {
  untouched = false;
  grow();
  changed(!text.value.trim());
});
text.addEventListener("focus", () => {
  if (untouched) text.select();
  untouched = false;
});
byId("clear").addEventListener("click", () => {
  put("");
  text.focus();
});
byId("wrong").addEventListener("click", () => toggleRight(byId("right").hidden));
byId("model").addEventListener("change", async (event) => {
  await useModel(event.target.value);
  changed(true);
});
for (const input of document.querySelectorAll("input[name=method]"))
  input.addEventListener("change", () => changed(true));
byId("copy-link").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  const fits = link.write({ model: model?.id, text: text.value, label: chosen });
  button.textContent = !fits ? "Too long for a link" : (await link.copy()) ? "Copied" : "Copy the address bar";
  setTimeout(() => {
    button.textContent = "Copy link";
  }, 2000);
});
// Not its own anchor, to which the link that skips leads.
addEventListener("hashchange", () => {
  if (link.read().text) restore(link.read());
});
addEventListener("resize", grow);

async function restore(kept) {
  if (kept.model && kept.model !== model.id) await useModel(kept.model);
  put(kept.text);
  if (model.labels.includes(kept.label)) chosen = kept.label;
}

let starting = false;

async function start() {
  if (starting) return;
  starting = true;
  await begin();
  starting = false;
}

async function begin() {
  const kept = link.read();
  let list;
  try {
    list = await api.models();
  } catch (error) {
    return failed(error);
  }
  collected = list.corrections === true;
  const ids = list.data.map(({ id }) => id);
  byId("model").replaceChildren(...ids.map((id) => h("option", { value: id }, id)));
  byId("model-choice").hidden = ids.length < 2;
  const usual = list.data.find((entry) => entry.default)?.id ?? ids[0];
  await useModel(ids.includes(kept.model) ? kept.model : usual);
  if (!model) return;
  // What was typed before the model was there stays.
  if (text.value.trim()) put(text.value);
  else if (kept.text) await restore({ ...kept, model: null });
  else {
    put(model.examples?.[0] ?? "");
    untouched = true;
  }
}

api.onKeyNeeded(askForKey);
api.onOverload((seconds) => notice.busy(seconds));
start();
