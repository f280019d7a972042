// Results as rows of terms (those of SPARQL's JSON format), and what they are written and shown as.

const XSD = "http://www.w3.org/2001/XMLSchema#";
const NUMERIC = new Set(["integer", "decimal", "double", "float", "nonNegativeInteger", "positiveInteger", "int", "long"].map((name) => XSD + name));

export const isNumber = (term) => term?.type === "literal" && NUMERIC.has(term.datatype) && Number.isFinite(Number(term.value));

// Rows of a SELECT: { columns, rows }, a row has a term or undefined for each column.
export function solutions(json) {
  const read = JSON.parse(json);
  const columns = read.head.vars;
  return { columns, rows: read.results.bindings.map((row) => columns.map((name) => row[name])) };
}

const ESCAPED = { t: "\t", b: "\b", n: "\n", r: "\r", f: "\f", '"': '"', "'": "'", "\\": "\\" };
const plain = (text) =>
  text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g, (_, short, long, one) => (one ? ESCAPED[one] : String.fromCodePoint(parseInt(short || long, 16))));
const LINE = /^(?:<([^>]*)>|_:(\S+)) <([^>]*)> (?:<([^>]*)>|_:(\S+)|"((?:[^"\\]|\\.)*)"(?:@([\w-]+)|\^\^<([^>]*)>)?) \.$/;

// Triples of a CONSTRUCT or DESCRIBE, each once and in one order, as rows of three columns.
export function triples(text) {
  const lines = [...new Set(text.split("\n").filter(Boolean))].sort();
  const rows = lines.map((line) => {
    const [, subject, blank, predicate, object, blankObject, literal, lang, datatype] = LINE.exec(line) || [];
    const uri = (value) => ({ type: "uri", value: plain(value) });
    const third =
      object !== undefined
        ? uri(object)
        : blankObject !== undefined
          ? { type: "bnode", value: blankObject }
          : { type: "literal", value: plain(literal ?? ""), ...(lang && { "xml:lang": lang }), ...(datatype && { datatype }) };
    return [subject !== undefined ? uri(subject) : { type: "bnode", value: blank }, uri(predicate ?? ""), third];
  });
  return { columns: ["subject", "predicate", "object"], rows, lines };
}

// A term as N-Triples, for a query.
export function written(term) {
  if (term.type === "uri") return `<${term.value}>`;
  const text = term.value.replace(/[\\"\n\r\t]/g, (c) => ({ "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t" })[c]);
  if (term["xml:lang"]) return `"${text}"@${term["xml:lang"]}`;
  return term.datatype && term.datatype !== `${XSD}string` ? `"${text}"^^<${term.datatype}>` : `"${text}"`;
}

// SPARQL 1.1 Query Results CSV: values without their types, lines end in CR LF.
export function csv({ columns, rows }) {
  const cell = (term) => {
    const text = !term ? "" : term.type === "bnode" ? `_:${term.value}` : term.value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows.map((row) => row.map(cell))].map((row) => `${row.join(",")}\r\n`).join("");
}

// Put each entity and its label into one column: ?x with ?xLabel. Gives the columns to show: name, place, place of the label.
export function readable(columns) {
  const partner = new Map(columns.map((name, place) => [place, columns.indexOf(`${name}Label`)]).filter(([, label]) => label >= 0));
  const dropped = new Set(partner.values());
  return columns.map((name, place) => ({ name, place, label: partner.get(place) ?? -1 })).filter(({ place }) => !dropped.has(place));
}

export const SOURCES = new Set(["Publication", "Question", "Shape"]);

// The names of the graph: prefixes, and its terms as rows of CURIE, label, path of the page, kind, other names.
export class Names {
  constructor({ prefixes, terms }) {
    this.prefixes = prefixes;
    this.terms = terms;
    this.spaces = Object.entries(prefixes).sort((a, b) => b[1].length - a[1].length);
    this.byCurie = new Map(terms.map((term) => [term[0], term]));
    this.folded = new Map();
    for (const term of terms) {
      for (const name of [term[0], term[1], ...term.slice(4)]) {
        const key = name.toLowerCase();
        const known = this.folded.get(key);
        if (!known) this.folded.set(key, [term]);
        else if (!known.includes(term)) known.push(term);
      }
    }
  }

  shorten(iri) {
    const found = this.spaces.find(([, space]) => iri.startsWith(space) && iri.length > space.length);
    return found ? `${found[0]}:${iri.slice(found[1].length)}` : iri;
  }

  expand(name) {
    const [prefix, ...rest] = name.split(":");
    const space = Object.hasOwn(this.prefixes, prefix) ? this.prefixes[prefix] : Object.entries(this.prefixes).find(([p]) => p.toLowerCase() === prefix.toLowerCase())?.[1];
    return rest.length && space !== undefined ? space + rest.join(":") : null;
  }

  label(iri) {
    return this.byCurie.get(this.shorten(iri))?.[1] ?? "";
  }

  // The page of the site on an IRI; else the IRI itself where it is an address of somebody else's.
  page(iri) {
    const curie = this.shorten(iri);
    const known = this.byCurie.get(curie);
    if (known) return `${known[2]}.html`;
    if (/^(claim|step):[\w.-]+$/.test(curie)) return `${curie.replace(":", "/")}.html`;
    return /^https?:/.test(iri) && !iri.startsWith("https://w3id.org/hypomag/") ? iri : "";
  }

  // A term as a person writes it: a quoted literal, a number, an IRI, a CURIE, or any name of an entity.
  read(text, candidates = []) {
    const said = text.trim();
    if (/^(["']).*\1$/s.test(said) && said.length > 1) return { type: "literal", value: said.slice(1, -1) };
    const shown = candidates.find((c) => c.text === said);
    if (shown) return shown.term;
    if (/^[+-]?\d+$/.test(said)) return { type: "literal", value: said, datatype: `${XSD}integer` };
    const bearers = this.folded.get(said.toLowerCase()) ?? [];
    if (bearers.length) {
      // What the column holds goes first, then entities before sources and shapes, then labels before synonyms.
      const narrow = (found, fits) => (found.some(fits) ? found.filter(fits) : found);
      let found = narrow(bearers, (b) => candidates.some((c) => c.term.value === this.expand(b[0])));
      found = narrow(found, (b) => !SOURCES.has(b[3]));
      found = narrow(found, (b) => [b[0], b[1]].some((name) => name.toLowerCase() === said.toLowerCase()));
      return found.length === 1 ? { type: "uri", value: this.expand(found[0][0]) } : { ambiguous: found.map((b) => b[0]) };
    }
    if (/^<?https?:[^\s<>"{}|^`\\]*>?$/.test(said)) return { type: "uri", value: said.replace(/^<|>$/g, "") };
    const iri = /^[A-Za-z][\w.-]*:[^\s<>"{}|^`\\]+$/.test(said) ? this.expand(said) : null;
    return iri ? { type: "uri", value: iri } : null;
  }
}
