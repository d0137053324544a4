// The columns of a file, as far as its first bytes tell them, so that a person can choose before anything is sent.

const START = 65_536;

// Names that the server takes for the text by itself.
const TEXTS = ["text", "title", "description", "headline", "body", "content", "sentence", "review", "message"];

/** Whether the server finds the text among `columns` without being told. */
export const hasText = (columns) => columns.some((column) => TEXTS.includes(column.toLowerCase()));

/** The names of the columns, or null where only the server can tell (Parquet, compressed files) or there are none. */
export async function columnsOf(file) {
  const kind = /\.(csv|tsv|jsonl|ndjson)$/i.exec(file.name)?.[1].toLowerCase();
  if (!kind) return null;
  const start = (await file.slice(0, START).text()).replace(/^\ufeff/, "");
  const columns = kind === "csv" || kind === "tsv" ? header(start, kind) : keys(start);
  return columns?.length && columns.every((column) => column.trim()) ? columns : null;
}

function keys(start) {
  try {
    return Object.keys(JSON.parse(start.split("\n", 1)[0]));
  } catch {
    return null;
  }
}

/** The first record, with the delimiter that it holds most often. */
function header(start, kind) {
  const line = start.split(/\r?\n/, 1)[0].replace(/"([^"]|"")*"/g, "");
  const found = [",", ";", "|", "\t"].toSorted((a, b) => line.split(b).length - line.split(a).length);
  const delimiter = kind === "tsv" ? "\t" : found[0];
  const fields = [""];
  let quoted = false;
  for (let i = 0; i < start.length; i++) {
    const c = start[i];
    if (quoted && c === '"' && start[i + 1] === '"') fields[fields.length - 1] += start[i++];
    else if (c === '"') quoted = !quoted;
    else if (!quoted && c === delimiter) fields.push("");
    else if (!quoted && (c === "\n" || c === "\r")) break;
    else fields[fields.length - 1] += c;
  }
  return fields;
}
