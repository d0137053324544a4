// What this browser keeps. Where storage is forbidden or full, it is kept until the page is closed.

const memory = new Map();

function read(name) {
  try {
    return localStorage.getItem(name) ?? memory.get(name);
  } catch {
    return memory.get(name);
  }
}

/** The value under `name`, or `otherwise`. */
export function load(name, otherwise) {
  try {
    return JSON.parse(read(name));
  } catch {
    return otherwise;
  }
}

/** Keeps `value` under `name`. */
export function keep(name, value) {
  memory.set(name, JSON.stringify(value));
  try {
    localStorage.setItem(name, memory.get(name));
  } catch {
    // `memory` has it.
  }
}
