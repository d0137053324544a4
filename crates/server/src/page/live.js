// When a text is sent: at once while nothing is under way, else when the answer is there, always the newest. The words
// are explained when typing pauses. Nothing that a newer text has overtaken is shown, and none waits long for an older.

import * as api from "./api.js";

const PAUSE = 450;
const SLOW = 1000;

export class Live {
  /** `show`: { scores(job, scores, truncated, ms), explaining(job), explained(job, explanation, ms), failed(error) } */
  constructor(show) {
    Object.assign(this, { show, wanted: null, running: null, since: 0, explaining: null, timer: 0 });
  }

  /** A text of the person; `{model, text, method}`. `fresh`: another text, so that a call under way is useless. */
  update(job, fresh = false) {
    this.stop(fresh || performance.now() - this.since > SLOW);
    if (!job.text.trim()) {
      this.stop(true);
      return;
    }
    this.wanted = job;
    this.timer = setTimeout(() => this.explain(job), fresh ? 0 : PAUSE);
    this.pump();
  }

  /** Gives up what was planned, and with `all` also what is under way. */
  stop(all) {
    clearTimeout(this.timer);
    this.explaining?.abort();
    this.wanted = null;
    if (all) this.running?.abort();
  }

  async pump() {
    if (this.running && !this.running.signal.aborted) return;
    while (this.wanted) {
      const job = this.wanted;
      const call = new AbortController();
      this.wanted = null;
      this.running = call;
      this.since = performance.now();
      try {
        const start = this.since;
        const { scores, usage } = await api.annotate(job.text, job.model, call.signal);
        if (call.signal.aborted) return;
        this.show.scores(job, scores[0], usage.truncated > 0, performance.now() - start);
      } catch (error) {
        if (api.isAbort(error)) return;
        this.show.failed(error);
      } finally {
        if (this.running === call) this.running = null;
      }
    }
  }

  async explain(job) {
    this.explaining?.abort();
    const call = new AbortController();
    this.explaining = call;
    this.show.explaining(job);
    try {
      const start = performance.now();
      const explanation = await api.explain(job.text, job.model, job.method, call.signal);
      if (!call.signal.aborted) this.show.explained(job, explanation, performance.now() - start);
    } catch (error) {
      if (!api.isAbort(error)) this.show.failed(error);
    }
  }
}
