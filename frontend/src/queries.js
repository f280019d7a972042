// Queries as text, as src/hypomag/queries.py has them: prefixes of ours, fixed columns, what is refused. Tests hold the two alike.

const QUIET =
  /"""(?:[^"\\]|\\[^]|"(?!""))*"""|'''(?:[^'\\]|\\[^]|'(?!''))*'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|<[^<>"{}|^`\\\s]*>|\\.|#[^\n\r]*/g;
const FORM = /(?<![\w?$:.-])(SELECT|ASK|CONSTRUCT|DESCRIBE)(?![\w:.-])/i;
const FROM = /(?<![\w?$:.-])FROM(?![\w:.-])/i;
// Variables, prefixed names and language tags are passed over whole: ?o.SERVICE is a variable and a keyword, ex:a.SERVICE is one name.
const SERVICE = /[?$][\p{L}\p{N}_]+|(?:\p{L}[\p{L}\p{N}_.-]*)?:[\p{L}\p{N}_:%.-]*|@[\w-]+|(?<![\p{L}\p{N}_])(SERVICE)(?![\p{L}\p{N}_])/giu;
const OPERATORS = /[!+*/|^&=<>-]|\bIN\b|\bUNION\b|\bOPTIONAL\b|\bMINUS\b/gi;
const MOST_OPERATORS = 2000;
const PREFIX = /\bPREFIX\s+([\w.-]*):/gi;
const USED = /(?<![\w?$:.@-])([A-Za-z][\w.-]*):/g;
const UPDATE = /^\s*(?:(?:PREFIX\s+\S*|BASE)\s*)*(?:INSERT|DELETE|LOAD|CLEAR|CREATE|DROP|COPY|MOVE|ADD|WITH)\b/i;

// A mistake that somebody can mend: what is wrong, what to do, where.
export class Problem extends Error {
  constructor(message, remedy = "", line = 0, column = 0) {
    super(message);
    Object.assign(this, { remedy, line, column });
  }
}

// The text with strings, IRIs and comments blanked out, character for character.
export const masked = (text) => text.replace(QUIET, (found) => " ".repeat(found.length));

export const form = (text) => (FORM.exec(masked(text)) || ["", "SELECT"])[1].toUpperCase();

export const saysFrom = (text) => FROM.test(masked(text));

export function variables(text) {
  const quiet = masked(text);
  const found = /\bSELECT\b([^]*?)(?:\bWHERE\b|\{)/i.exec(quiet);
  if (!found) return [];
  const clause = found[1].replace(/\([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\bAS\s+([?$]\w+)\s*\)/gi, "$1");
  return [...clause.matchAll(/[?$](\w+)/g)].map((match) => match[1]);
}

// Fix projected columns: a filter inside the group, a VALUES block at the end. `bindings` is name → term as N-Triples.
export function bound(text, bindings) {
  const names = Object.keys(bindings);
  if (!names.length) return text;
  const projected = variables(text);
  for (const name of names) {
    if (!projected.includes(name)) throw new Problem(`the query has no result column ?${name}`, "name the columns that you want to fix");
  }
  if (/\}\s*(?:[^{}]*\bVALUES\b[^{}]*\{[^{}]*\}\s*)$/i.test(masked(text))) {
    throw new Problem("the query ends with a VALUES block of its own", "put the value into that block");
  }
  const clause = masked(text).split(/\bWHERE\b/i)[0];
  const computed = new Set([...clause.matchAll(/\bAS\s+[?$](\w+)\s*\)/gi)].map((match) => match[1]));
  const kept = names
    .filter((name) => !computed.has(name))
    .map((name) => (bindings[name].startsWith("<") ? `FILTER(?${name} = ${bindings[name]})` : `FILTER(sameTerm(?${name}, ${bindings[name]}))`))
    .join(" ");
  const end = groupEnd(text);
  const head = names.map((name) => `?${name}`).join(" ");
  return `${text.slice(0, end)}${kept} ${text.slice(end).trimEnd()}\nVALUES (${head}) { (${Object.values(bindings).join(" ")}) }\n`;
}

function groupEnd(text) {
  const quiet = masked(text);
  const start = /\bSELECT\b/i.exec(quiet);
  let depth = 0;
  for (let place = start ? start.index + start[0].length : 0; place < quiet.length; place++) {
    if (quiet[place] === "{") depth++;
    else if (quiet[place] === "}" && --depth === 0) return place;
  }
  return text.length;
}

const declared = (quiet) => [...quiet.matchAll(PREFIX)].map((match) => match[1]);

// PREFIX declarations for each prefix of ours that a query uses, to go before it on its first line.
export function prologue(text, table) {
  const quiet = masked(text);
  const wanted = new Set([...quiet.matchAll(USED)].map((match) => match[1]));
  for (const name of declared(quiet)) wanted.delete(name);
  return Object.entries(table)
    .filter(([name]) => wanted.has(name))
    .map(([name, space]) => `PREFIX ${name}: <${space}> `)
    .join("");
}

// Refuse what is not asked of a graph that is only read.
export function check(text) {
  if (!text.trim()) throw new Problem("the query is empty", "choose a question, or write one");
  const quiet = masked(text);
  if (UPDATE.test(quiet)) throw new Problem("an update; the graph is only read here", "ask with SELECT, ASK, CONSTRUCT or DESCRIBE");
  if ([...quiet.matchAll(SERVICE)].some((match) => match[1])) throw new Problem("SERVICE would send the query to another server", "nothing leaves this page; leave the clause out");
  if ((quiet.match(OPERATORS) ?? []).length > MOST_OPERATORS) throw new Problem(`more than ${MOST_OPERATORS} operators`, "split the query");
  let depth = 0;
  for (const character of quiet) {
    if ("{([".includes(character)) depth++;
    else if ("})]".includes(character)) depth--;
    if (depth > 100) throw new Problem("brackets nested more than 100 deep", "flatten the query");
  }
}

// What the engine says of a text that it cannot read, with the place in the text as it was written.
export function mistake(said, text, ahead, table) {
  const quiet = masked(text);
  const known = new Set([...Object.keys(table), ...declared(quiet)]);
  for (const match of quiet.matchAll(/(?<![\w?$:.@-])([A-Za-z][\w.-]*):(?=[\w.-])/g)) {
    if (!known.has(match[1])) {
      const before = text.slice(0, match.index).split("\n");
      return new Problem(`the prefix ${match[1]}: is neither declared nor ours`, "declare it with a PREFIX line, or write the IRI in <>", before.length, before.at(-1).length + 1);
    }
  }
  const place = /\bat (\d+):(\d+)/.exec(said);
  const line = place ? Number(place[1]) : 0;
  const column = place ? Number(place[2]) - (line === 1 ? ahead : 0) : 0;
  const words = said.replace(/^Error:\s*/, "").replace(/^(?:SPARQL\s+)?(?:query\s+)?(?:parsing\s+|parse\s+)?error at \d+:\d+:?\s*/i, "").replace(/\s*\[?'[^]*$/, " …").trim();
  return new Problem(words, line ? `see line ${line}, column ${Math.max(column, 1)}` : "", line, Math.max(column, 1));
}
