// Elements by id, and new ones. Foreign text only ever becomes a text node.

/** The element of the page with this id. */
export const byId = (id) => document.getElementById(id);

/** A new element. `properties` are DOM properties, except `dataset`, `aria` (keys without the prefix) and `role`. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "aria")
      for (const [key, text] of Object.entries(value)) element.setAttribute(`aria-${key}`, text);
    else if (name === "role") element.setAttribute("role", value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Writes `text` unless it stands there, so that a live region does not speak twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
