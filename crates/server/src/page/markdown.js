// The part of Markdown that model cards use, as DOM nodes. A card is foreign text: it never becomes markup, its images
// are not fetched, and only http and https links are links.

import { h } from "./dom.js";

const LONGEST = 200_000;
const INLINE = new RegExp(
  [
    "(?<tick>`+)(?<code>.+?)\\k<tick>(?!`)",
    "!\\[(?<alt>[^\\]]*)\\]\\([^)]*\\)",
    "\\[(?<name>[^\\]]+)\\]\\((?<url>[^)\\s]+)[^)]*\\)",
    "<(?<auto>https?:[^>\\s]+)>",
    "(?<strong>\\*\\*|__)(?=\\S)(?<bold>.+?)\\k<strong>",
    "(?<![\\w*])(?<mark>[*_])(?=\\S)(?<italic>.+?)\\k<mark>(?!\\w)",
  ].join("|"),
  "gs",
);

function link(url, name) {
  if (!/^https?:\/\//i.test(url)) return h("span", {}, ...inline(name));
  return h("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, ...inline(name));
}

/** Text with code, emphasis and links. */
function inline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const { code, alt, name, url, auto, bold, italic } = match.groups;
    nodes.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (code !== undefined) nodes.push(h("code", {}, code));
    else if (alt !== undefined) nodes.push(alt);
    else if (url !== undefined) nodes.push(link(url, name));
    else if (auto !== undefined) nodes.push(h("a", { href: auto, rel: "noopener noreferrer", target: "_blank" }, auto));
    else if (bold !== undefined) nodes.push(h("strong", {}, ...inline(bold)));
    else nodes.push(h("em", {}, ...inline(italic)));
  }
  nodes.push(text.slice(at));
  return nodes;
}

const cells = (line) =>
  line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
const isRule = (line) => line?.includes("-") && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(line);
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const starts = (line) => /^\s*(#{1,6}\s|```|~~~|>)/.test(line) || ITEM.test(line) || /^\s*([-*_]\s*){3,}$/.test(line);

function table(lines) {
  const aligned = cells(lines[1]).map((rule) => (rule.endsWith(":") ? "number" : ""));
  const row = (line, tag) =>
    h("tr", {}, ...cells(line).map((cell, i) => h(tag, { className: aligned[i] ?? "" }, ...inline(cell))));
  return h(
    "div",
    { className: "scroll", tabIndex: 0, role: "group", aria: { label: "Table" } },
    h(
      "table",
      {},
      h("thead", {}, row(lines[0], "th")),
      h("tbody", {}, ...lines.slice(2).map((line) => row(line, "td"))),
    ),
  );
}

/** Lines of a list: what is indented below an item belongs to it. */
function list(lines) {
  const numbered = /\d/.test(ITEM.exec(lines[0])[2]);
  const depth = ITEM.exec(lines[0])[1].length;
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= depth) items.push([item[3]]);
    else items.at(-1).push(line.slice(Math.min(line.search(/\S|$/), depth + 2)));
  }
  return h(numbered ? "ol" : "ul", {}, ...items.map((item) => h("li", {}, ...blocks(item, true))));
}

/** Blocks of lines. Within an item of a list (`tight`) a paragraph has no element of its own. */
function blocks(lines, tight = false) {
  const nodes = [];
  let at = 0;
  const take = (test) => {
    const from = at;
    while (at < lines.length && test(lines[at], at - from)) at++;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at];
    const fence = /^\s*(```|~~~)/.exec(line)?.[1];
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    if (!line.trim()) at++;
    else if (fence) {
      at++;
      nodes.push(h("pre", { tabIndex: 0 }, h("code", {}, take((next) => !next.trim().startsWith(fence)).join("\n"))));
      at++;
    } else if (heading) {
      at++;
      nodes.push(h(`h${Math.min(heading[1].length + 3, 6)}`, {}, ...inline(heading[2])));
    } else if (ITEM.test(line)) {
      nodes.push(list(take((next, i) => i === 0 || ITEM.test(next) || (next.trim() && !/^#/.test(next)))));
    } else if (/^\s*([-*_]\s*){3,}$/.test(line)) {
      at++;
      nodes.push(h("hr"));
    } else if (line.startsWith(">")) {
      nodes.push(
        h(
          "blockquote",
          {},
          ...blocks(take((next) => next.startsWith(">")).map((quoted) => quoted.replace(/^>\s?/, ""))),
        ),
      );
    } else if (line.includes("|") && isRule(lines[at + 1])) {
      nodes.push(table(take((next) => next.includes("|"))));
    } else {
      const text = take((next, i) => i === 0 || (next.trim() && !starts(next)))
        .map((part) => part.trim())
        .join(" ");
      nodes.push(...(tight ? inline(text) : [h("p", {}, ...inline(text))]));
    }
  }
  return nodes;
}

/** The nodes of a model card, without its front matter and comments. */
export function render(markdown) {
  const body = markdown
    .slice(0, LONGEST)
    .replaceAll("\r\n", "\n")
    .replace(/^---\n.*?\n---(\n|$)/s, "")
    .replace(/<!--.*?-->/gs, "");
  return blocks(body.split("\n"));
}
