// A file that is labeled: dropped or chosen, sent, followed by its progress and the counts of its classes, downloaded.

import * as api from "./api.js";
import { columnsOf, hasText } from "./columns.js";
import { h, say } from "./dom.js";
import { bytes, count, counted, ms, percent } from "./format.js";
import { hue, slide } from "./bars.js";

const POLL = 250;
const wait = (t) => new Promise((resolve) => setTimeout(resolve, t));

export class Files {
  /** `model()` gives `{id, labels}` of the chosen model. */
  constructor({ drop, input, pick, job, model }) {
    Object.assign(this, { drop, input, job, model, id: null, call: null });
    pick.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      if (input.files[0]) this.take(input.files[0]);
      input.value = "";
    });
    // Anywhere on the page: a file that misses the field must not replace the page.
    const over = (event, inside) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      drop.classList.toggle("over", inside);
    };
    addEventListener("dragover", (event) => over(event, true));
    addEventListener("dragleave", (event) => !event.relatedTarget && over(event, false));
    addEventListener("drop", (event) => {
      over(event, false);
      if (event.dataTransfer?.files[0]) this.take(event.dataTransfer.files[0]);
    });
    addEventListener("pagehide", () => this.forget());
  }

  async take(file) {
    if (!this.model()) return;
    this.forget();
    this.file = file;
    const columns = await columnsOf(file);
    this.columns = columns;
    this.panel();
    this.job.scrollIntoView({ block: "nearest" });
    if (columns && columns.length > 1 && !hasText(columns)) this.ask("Which columns hold the text?");
    else this.start(columns?.length === 1 ? columns : []);
  }

  /** Cancels what runs, and has the server delete what it holds. */
  forget() {
    this.call?.abort();
    if (this.id) api.removeFile(this.id).catch(() => {});
    this.id = null;
  }

  close() {
    this.forget();
    this.job.hidden = true;
    this.drop.hidden = false;
    this.drop.querySelector("button").focus();
  }

  /** Whether nobody is busy elsewhere on the page: nothing takes the focus from one who types. */
  attended() {
    return document.activeElement === document.body || this.job.contains(document.activeElement);
  }

  panel() {
    this.state = h("p", { className: "job-state", role: "status" });
    this.progress = h("progress", { max: 1, value: 0, aria: { label: `Progress of ${this.file.name}` } });
    this.chart = h("ul", { className: "chart", aria: { label: "Rows of each label" } });
    this.extra = h("div", { className: "job-extra" });
    this.cancel = h("button", { type: "button", className: "plain", onclick: () => this.close() }, "Cancel");
    this.other = h(
      "button",
      { type: "button", className: "plain", hidden: true, onclick: () => this.ask("Which columns hold the text?") },
      "Columns",
    );
    this.save = h(
      "button",
      { type: "button", className: "solid", hidden: true, onclick: () => this.download() },
      "Download",
    );
    this.job.replaceChildren(
      h(
        "div",
        { className: "head" },
        h("h3", {}, this.file.name, h("small", {}, bytes(this.file.size))),
        h("div", { className: "row" }, this.other, this.cancel, this.save),
      ),
      this.progress,
      this.state,
      this.extra,
      this.chart,
    );
    const from = this.drop.contains(document.activeElement);
    this.job.hidden = false;
    this.drop.hidden = true;
    if (from) this.cancel.focus({ preventScroll: true });
  }

  /** Asks for the columns of the text: a choice where their names are known. */
  ask(question) {
    this.progress.hidden = true;
    const known = this.columns ?? [];
    const boxes = known.map((column) => h("label", {}, h("input", { type: "checkbox", value: column }), column));
    const field = h("input", {
      type: "text",
      required: true,
      placeholder: "title",
      aria: { label: "Name of the column" },
    });
    const form = h(
      "form",
      {
        className: "columns",
        onsubmit: (event) => {
          event.preventDefault();
          const chosen = known.length
            ? boxes
                .map((box) => box.firstChild)
                .filter((box) => box.checked)
                .map((box) => box.value)
            : [field.value];
          if (chosen.length) this.start(chosen);
          else say(this.state, "Choose at least one column");
        },
      },
      h("fieldset", {}, h("legend", {}, question), ...(known.length ? boxes : [field])),
      h("button", { type: "submit", className: "solid" }, "Label"),
    );
    this.extra.replaceChildren(form);
    if (this.attended()) form.querySelector("input").focus();
  }

  async start(columns) {
    this.forget();
    const call = new AbortController();
    this.call = call;
    const { id: model, labels } = this.model();
    this.extra.replaceChildren();
    this.chart.replaceChildren();
    Object.assign(this.progress, { hidden: false, value: 0 });
    this.save.hidden = true;
    this.other.hidden = true;
    this.cancel.textContent = "Cancel";
    say(this.state, "Sending");
    try {
      const send = (sent) => {
        this.progress.value = sent;
      };
      let state = await api.sendFile(this.file, model, columns, send, call.signal);
      this.id = state.id;
      this.progress.value = 0;
      while (state.state === "running") {
        this.show(state, labels);
        await wait(POLL);
        state = await api.fileState(state.id, call.signal);
      }
      if (call.signal.aborted) return;
      this.columns ??= state.columns.length ? state.columns : null;
      this.show(state, labels);
      if (state.state === "done") this.done(state);
      else this.failed(state.error ?? "The file was cancelled", state.hint);
    } catch (error) {
      if (api.isAbort(error)) return;
      this.failed(error.message, error.hint);
    }
  }

  /** How far it is, and its rows by label. */
  show(state, labels) {
    const { rows, rows_total: all, bytes_read: read, bytes_total: size, seconds } = state;
    const share = all ? rows / all : size ? read / size : 0;
    this.progress.value = state.state === "done" ? 1 : share;
    const rate = seconds > 0.5 ? ` · ${count(rows / seconds)} rows/s` : "";
    const left = seconds > 1.5 && share > 0.02 ? ` · ${ms(1000 * seconds * (1 / share - 1))} left` : "";
    say(this.state, `${count(rows)}${all ? ` of ${count(all)}` : ""} rows${rate}${left}`);
    const names = labels ?? Object.keys(state.labels);
    const counts = Object.entries(state.labels).toSorted(([a], [b]) => names.indexOf(a) - names.indexOf(b));
    const most = Math.max(1, ...counts.map(([, n]) => n));
    const labeled = counts.reduce((sum, [, n]) => sum + n, 0);
    const bars = counts.map(([label, n]) =>
      bar(label, n / most, `${count(n)} · ${percent(n / labeled)}`, { hue: hue(names, label) }),
    );
    const blank = rows - labeled;
    if (state.state === "done" && blank) bars.push(bar("No text", blank / most, count(blank), {}));
    this.chart.replaceChildren(...bars);
  }

  done({ rows, seconds, labeled_name: name, text_columns: columns }) {
    this.name = name;
    say(this.state, `${counted(rows, "row")} labeled in ${ms(1000 * seconds)} · text from ${columns.join(" and ")}`);
    this.cancel.textContent = "Remove";
    this.other.hidden = !(this.columns?.length > 1);
    this.save.hidden = false;
    if (this.job.contains(document.activeElement)) this.save.focus({ preventScroll: true });
  }

  failed(error, hint) {
    this.progress.hidden = true;
    say(this.state, hint ? `${sentence(error)} ${sentence(hint)}` : sentence(error));
    this.cancel.textContent = "Remove";
    if (/column/i.test(error)) this.ask("Which column holds the text?");
  }

  /** A link, so that nothing passes through memory; only where a key is needed the page fetches the file itself. */
  async download() {
    try {
      // The server forgets a file that nobody asks for.
      await api.fileState(this.id);
      const url = api.key() ? URL.createObjectURL(await api.fileContent(this.id)) : api.fileUrl(this.id);
      h("a", { href: url, download: this.name }).click();
      if (api.key()) setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      this.failed(error.message, error.hint);
    }
  }
}

function bar(name, share, number, dataset) {
  const fill = h("span", { className: "fill" });
  slide(fill, share);
  return h(
    "li",
    { className: "bar", dataset },
    h("span", { className: "name" }, name),
    h("span", { className: "track" }, fill),
    h("span", { className: "number" }, number),
  );
}

/** `cannot read x` -> `Cannot read x.` */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, ".");
