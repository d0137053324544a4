// The calls of the HTTP API. URLs are relative to the page, so that it works below any prefix.

const KEY = "albertine.key";
const MOST_TRIES = 8;
const LONGEST_WAIT = 15;

/** An answer that is not a success, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(status, { error, error_type: type = "", hint = "" }) {
    super(error);
    Object.assign(this, { status, type, hint });
  }
}

/** Whether a call ended because the page gave it up. */
export const isAbort = (error) => error?.name === "AbortError";

let askForKey = async () => null;
let asking = null;

/** `ask(wasWrong)` gives a promise of the key, or of null. */
export function onKeyNeeded(ask) {
  askForKey = ask;
}

let waiting = () => {};

/** `notify(seconds)` is called when the server is overloaded and the call is repeated. */
export function onOverload(notify) {
  waiting = notify;
}

export const key = () => sessionStorage.getItem(KEY);

const authorization = () => (key() ? { Authorization: `Bearer ${key()}` } : {});

const UNREACHABLE = { error: "The server does not answer", error_type: "offline" };

async function errorOf(response) {
  const fallback = { error: `The server answered with status ${response.status}` };
  try {
    const body = await response.json();
    return new ApiError(response.status, typeof body?.error === "string" ? body : fallback);
  } catch {
    return new ApiError(response.status, fallback);
  }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException("given up", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, 1000 * seconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Asks for the key once for all calls that wait for it. Whether there is a new one. */
function newKey(used) {
  if (key() !== used) return true;
  asking ??= askForKey(used !== null)
    .then((given) => given && (sessionStorage.setItem(KEY, given), true))
    .finally(() => {
      asking = null;
    });
  return asking;
}

/** What to do about an answer with status 401 or 429: whether to try again. */
async function again(error, response, used, tries, signal) {
  if (error.status === 401) return newKey(used);
  if (error.status !== 429 || tries >= MOST_TRIES) return false;
  const seconds = Math.min(Math.max(Number(response.headers.get("Retry-After")) || 1, 0.2), LONGEST_WAIT);
  waiting(seconds);
  await pause(seconds, signal);
  return true;
}

async function request(path, { method = "GET", json, signal, keepalive = false } = {}) {
  for (let tries = 1; ; tries++) {
    const used = key();
    const headers = { Accept: "application/json", ...authorization() };
    if (json) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(path, { method, headers, body: json && JSON.stringify(json), signal, keepalive });
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ApiError(0, UNREACHABLE);
    }
    if (response.ok) return response;
    const error = await errorOf(response);
    if (!(await again(error, response, used, tries, signal))) throw error;
  }
}

const answer = async (...call) => (await request(...call)).json();
const post = (path, json, signal) => answer(path, { method: "POST", json, signal });
const name = encodeURIComponent;

export const models = () => answer("v1/models");
export const model = (id) => answer(`v1/models/${name(id)}`);
export const annotate = (text, model, signal) => post("v1/annotate", { texts: [text], model }, signal);
export const explain = (text, model, method, signal) => post("v1/explain", { text, model, method }, signal);
export const tokenize = (text, model, signal) => post("tokenize", { inputs: text, model }, signal);
export const correct = (correction) => request("v1/corrections", { method: "POST", json: correction });

/** Whether the server answers at all. */
export const alive = () =>
  fetch("health", { cache: "no-store" }).then(
    (response) => response.ok,
    () => false,
  );

export const fileState = (id, signal) => answer(`v1/files/${name(id)}`, { signal });
export const removeFile = (id) => request(`v1/files/${name(id)}`, { method: "DELETE", keepalive: true });
export const fileUrl = (id) => `v1/files/${name(id)}/content`;
export const fileContent = async (id) => (await request(fileUrl(id))).blob();

/** Sends a file; `sent(fraction)` is called on the way. Only XMLHttpRequest tells how much has been sent. */
export async function sendFile(file, model, columns, sent, signal) {
  const query = new URLSearchParams({ name: file.name, model });
  for (const column of columns) query.append("text_column", column);
  for (let tries = 1; ; tries++) {
    const used = key();
    const response = await upload(`v1/files?${query}`, file, sent, signal);
    if (response.ok) return response.json();
    const error = await errorOf(response);
    if (!(await again(error, response, used, tries, signal))) throw error;
  }
}

function upload(path, file, sent, signal) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", path);
    for (const [header, value] of Object.entries(authorization())) call.setRequestHeader(header, value);
    call.setRequestHeader("Content-Type", "application/octet-stream");
    call.upload.onprogress = (event) => event.total > 0 && sent(event.loaded / event.total);
    call.onload = () => {
      const headers = { "Retry-After": call.getResponseHeader("Retry-After") ?? "" };
      resolve(new Response(call.response, { status: call.status, headers }));
    };
    call.onerror = () => reject(new ApiError(0, UNREACHABLE));
    call.onabort = () => reject(new DOMException("given up", "AbortError"));
    signal?.addEventListener("abort", () => call.abort(), { once: true });
    call.send(file);
  });
}
