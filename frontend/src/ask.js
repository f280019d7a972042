// The page that asks. Nothing leaves it: the graph is loaded from the site, the engine runs in a worker beside it.
import { chart, chartable, counted, edges, network } from "./drawings.js";
import { create } from "./editor.js";
import { Engine, Remote } from "./engines.js";
import * as queries from "./queries.js";
import { Names, csv, readable, solutions, triples, written } from "./results.js";

const at = (id) => document.getElementById(id);
const KEEP = 50;
const STEP = 200;
const HISTORY = `hypomag ${location.pathname}`; // hosts share one store among the sites of many

function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

const refuse = (...parts) => {
  at("refusal").replaceChildren(...parts);
  at("refusal").hidden = false;
};

if (location.protocol === "file:") {
  const command = make("code", {}, "python3 -m http.server 8000");
  const address = make("code", {}, "http://127.0.0.1:8000/ask.html");
  refuse("This page needs a web server, because a browser reads no other file for a page opened from the disk. Any static one will do: run ", command, " in the folder of the site and open ", address, ". All other pages work as they are.");
} else {
  start().catch((error) => refuse(`The page could not start: ${error.message}.`));
}

async function start() {
  const site = new URL("./", document.baseURI);
  const engine = new Engine(site);
  const loading = engine.load();
  loading.catch(() => {});
  const response = await fetch(new URL("ask/catalogue.json", site));
  if (!response.ok) throw new Error(`ask/catalogue.json: ${response.status}`);
  const book = await response.json();
  const names = new Names(book);
  const byName = new Map(book.queries.map((query) => [query.name, query]));
  const state = { name: "", result: null, said: "", view: "table", columns: [], values: new Map(), asked: "" };
  at("room").hidden = false;
  const inside = at("editor").attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
  const editor = create(inside, { names, ask: run, changed });

  // Terms as a person reads them.
  const text = (term) => (!term ? "" : term.type === "uri" ? names.shorten(term.value) : term.type === "bnode" ? `_:${term.value}` : term.value);
  const said = (row, column) => {
    const label = column.label >= 0 && row[column.label];
    const term = row[column.place];
    return label ? label.value : term?.type === "uri" ? names.label(term.value) || text(term) : text(term);
  };
  const shownColumns = () => readable(state.result.columns);

  function cell(row, column) {
    const term = row[column.place];
    const node = make("td");
    if (!term) return node;
    if (said(row, column).length > 24) node.className = "wordy";
    if (term.type !== "uri") {
      node.append(term.value);
      if (term.datatype && !Number.isNaN(Number(term.value))) node.className = "n";
      return node;
    }
    const href = names.page(term.value);
    const words = said(row, column);
    const curie = text(term);
    node.append(href ? make("a", { href, title: term.value }, words) : make("span", { title: term.value }, words));
    if (words !== curie && !/^(hm|reference|cohort|variable|PMID):/.test(curie) && curie.length < 40) node.append(" ", make("small", {}, curie));
    return node;
  }

  function table() {
    const columns = shownColumns();
    const { rows } = state.result;
    const body = make("tbody");
    const caption = make("caption");
    const more = make("button", { type: "button", onclick: grow }, "More rows");
    function grow() {
      const next = body.rows.length + STEP;
      body.append(...rows.slice(body.rows.length, next).map((row) => make("tr", {}, ...columns.map((column) => cell(row, column)))));
      caption.textContent = body.rows.length < rows.length ? `The first ${body.rows.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows` : `All ${rows.length.toLocaleString("en")} rows`;
      more.hidden = body.rows.length >= rows.length;
    }
    const head = make("thead", {}, make("tr", {}, ...columns.map((column) => make("th", { scope: "col" }, column.name))));
    grow();
    if (!rows.length) return [make("p", {}, "No row: nothing in the graph matches.")];
    return [make("div", { class: "scroll", role: "region", "aria-label": "Rows, scroll sideways", tabindex: "0" }, make("table", {}, caption, head, body)), more];
  }

  const choice = (label, columns, chosen, changed, none) => {
    const select = make("select", { onchange: () => changed(select.value) }, ...(none ? [make("option", { value: "" }, none)] : []), ...columns.map((c) => make("option", { value: c.name, selected: c.name === chosen?.name }, c.name)));
    return make("label", {}, `${label} `, select);
  };
  const framed = (figure, label, note) => [make("div", { class: "scroll", role: "region", "aria-label": `${label}, scrolls sideways`, tabindex: "0" }, figure), make("p", { class: "note" }, note)];

  // Where one column names several rows alike, a second one tells them apart if any does.
  function distinct(label, labels) {
    const { rows } = state.result;
    const many = (columns) => new Set(rows.map((row) => columns.map((column) => said(row, column)).join(" "))).size;
    if (many([label]) === rows.length) return [label];
    const second = labels.filter((c) => c !== label && c.label >= 0).sort((a, b) => many([label, b]) - many([label, a]))[0];
    return second && many([label, second]) > many([label]) ? [label, second] : [label];
  }

  function bars(pick = {}) {
    const { numbers, labels } = chartable(state.result, shownColumns());
    const label = labels.find((c) => c.name === pick.label) ?? labels.find((c) => c.label >= 0) ?? labels[0];
    const number = pick.number === "" ? undefined : (numbers.find((c) => c.name === pick.number) ?? numbers[0]);
    const named = number ? distinct(label, labels) : [label];
    const name = (row) => named.map((column) => said(row, column)).filter(Boolean).join(" · ");
    const { bars: found, more } = counted(state.result.rows, name, number);
    const title = number ? `${number.name} by ${label.name}` : `Rows by ${label.name}`;
    const again = (change) => at("panel").replaceChildren(...bars({ label: label.name, number: number?.name ?? "", ...change }));
    return [
      make("div", { class: "choices" }, choice("Bar for each", labels, label, (name) => again({ label: name })), choice("as long as", numbers, number, (name) => again({ number: name }), "number of rows")),
      ...framed(chart(found, `${title}: ${found.length} bars; the table has the same in words`), title, more > 0 ? `The first ${found.length} of ${found.length + more} bars.` : `${title}. ${found.length} bars.`),
    ];
  }

  const linkable = () => shownColumns().filter((column) => state.result.rows.some((row) => row[column.place]?.type === "uri"));
  function graph(pick = {}) {
    const columns = linkable();
    const chosen = (name, otherwise) => columns.find((c) => c.name === name) ?? otherwise;
    const triple = columns.find((c) => c.name === "subject") && columns.find((c) => c.name === "object");
    const best = columns.filter((c) => c.label >= 0 && !/^(claim|line|step|polarity|status|predicate|direction)$/.test(c.name));
    const from = chosen(pick.from, triple ? columns.find((c) => c.name === "subject") : (best[0] ?? columns[0]));
    const to = chosen(pick.to, triple || (best.find((c) => c !== from) ?? columns.find((c) => c !== from) ?? columns[0]));
    const over = pick.over === "" ? undefined : chosen(pick.over, columns.find((c) => c.name === "predicate"));
    const { edges: lines, more } = edges(state.result.rows, from, to, over);
    const labels = new Map();
    for (const { row } of lines) for (const column of [from, to]) labels.set(row[column.place].value, said(row, column));
    const about = (id) => ({ text: labels.get(id), title: `${labels.get(id)} (${names.shorten(id)})`, href: names.page(id), kind: labels.has(id) && lines.some((line) => line.source === id) ? "from" : "to" });
    for (const line of lines) line.said = over ? [...new Set([...line.words].map((row) => said(row, over)))].join(", ") : "";
    const again = (change) => at("panel").replaceChildren(...graph({ from: from.name, to: to.name, over: over?.name ?? "", ...change }));
    const chooser = make("div", { class: "choices" }, choice("From", columns, from, (name) => again({ from: name })), choice("to", columns, to, (name) => again({ to: name })), choice("called", columns, over, (name) => again({ over: name }), "nothing"));
    if (!lines.length) return [chooser, make("p", { class: "note" }, "These two columns join no two entities: choose others.")];
    const title = `Network from ${from.name} to ${to.name}`;
    const note = more > 0 ? `The first ${lines.length} of ${lines.length + more} edges; the table has all.` : `${lines.length} edges. A name leads to its page.`;
    return [chooser, ...framed(network(lines, about, title), title, note)];
  }

  const VIEWS = { table, chart: bars, graph };
  function show(view, focus) {
    state.view = view;
    for (const name of Object.keys(VIEWS)) {
      const tab = at(`tab-${name}`);
      tab.setAttribute("aria-selected", String(name === view));
      tab.tabIndex = name === view ? 0 : -1;
      if (name === view && focus) tab.focus();
    }
    at("panel").setAttribute("aria-labelledby", `tab-${view}`);
    at("panel").replaceChildren(...(state.result ? VIEWS[view]() : [make("p", { class: "yesno" }, state.said)]));
  }
  const tabs = () => Object.keys(VIEWS).filter((name) => !at(`tab-${name}`).disabled);
  for (const name of Object.keys(VIEWS)) {
    at(`tab-${name}`).addEventListener("click", () => show(name));
    at(`tab-${name}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const open = tabs();
      const next = step ? open[(open.indexOf(name) + step + open.length) % open.length] : { Home: open[0], End: open.at(-1) }[event.key];
      if (!next) return;
      event.preventDefault();
      show(next, true);
    });
  }

  // The form: one field for each result column, with the values that the last answer had there.
  const fields = () => [...at("form").querySelectorAll("input")];
  const given = () => Object.fromEntries(fields().filter((field) => field.value.trim()).map((field) => [field.name, field.value.trim()]));
  const count = () => {
    const many = Object.keys(given()).length;
    at("fixed").textContent = many ? `${many} fixed` : "";
  };
  function fill(projected, kept = {}) {
    // A label goes with what it names; a link may fix it all the same.
    const open = new Set(readable(projected).map((column) => column.name));
    const columns = projected.filter((name) => open.has(name) || Object.hasOwn(kept, name));
    if (state.columns.join(" ") !== columns.join(" ")) {
      state.columns = columns;
      state.values = new Map();
      at("form").replaceChildren(
        ...columns.map((name) =>
          make("label", {}, make("span", {}, name), make("input", { name, list: `values-${name}`, oninput: count, placeholder: "any" }), make("datalist", { id: `values-${name}` })),
        ),
        make("span", { class: "row" }, make("button", { type: "submit" }, "Ask with these"), make("button", { type: "reset" }, "Empty")),
      );
    }
    for (const field of fields()) if (Object.hasOwn(kept, field.name)) field.value = kept[field.name];
    at("columns").hidden = !columns.length;
    count();
  }
  function learn() {
    const { columns, rows } = state.result;
    columns.forEach((name, place) => {
      const label = columns.indexOf(`${name}Label`);
      const found = new Map();
      for (const row of rows) {
        const term = row[place];
        if (!term || found.size > 400) continue;
        const key = written(term);
        if (!found.has(key)) found.set(key, { term, text: label >= 0 && row[label] ? `${row[label].value} (${text(term)})` : text(term) });
      }
      if (found.size <= (state.values.get(name)?.length ?? 0)) return; // a narrower answer hides no value
      const list = [...found.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
      state.values.set(name, list);
      at(`values-${name}`)?.replaceChildren(...list.slice(0, 400).map((value) => make("option", { value: value.text })));
    });
  }
  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  at("form").addEventListener("reset", () => setTimeout(count));

  function bindings() {
    const found = {};
    for (const [name, value] of Object.entries(given())) {
      const term = names.read(value, state.values.get(name) ?? []);
      if (term?.ambiguous) throw new queries.Problem(`${name}: ${value} is the name of ${term.ambiguous.join(" and ")}`, "write one of these");
      if (!term) throw new queries.Problem(`${name}: nothing in the graph bears the name ${value}`, "choose a value that is offered, or write a CURIE, an IRI, a number, or text in quotes");
      found[name] = written(term);
    }
    return found;
  }

  // What is asked, as an address: a name that needs the values of an answer to be understood is written as its CURIE.
  const plainly = (name, value) => {
    const term = names.read(value, state.values.get(name) ?? []);
    return term?.type === "uri" ? names.shorten(term.value) : value;
  };
  function address() {
    const parts = new URLSearchParams();
    if (state.name && editor.text === byName.get(state.name).text) parts.set("name", state.name);
    else parts.set("query", editor.text);
    for (const [name, value] of Object.entries(given())) parts.set(`bind.${name}`, plainly(name, value));
    return `#${parts}`;
  }
  function open(hash) {
    const parts = new URLSearchParams(hash.replace(/^#/, ""));
    const [name, query] = [parts.get("name"), parts.get("query")];
    if (name !== null && !byName.has(name)) return tell(new queries.Problem(`no question is named ${name}`, "the list has them all")), false;
    if (name === null && query === null) return false;
    choose(name ?? "", query ?? byName.get(name).text, Object.fromEntries([...parts].filter(([key]) => key.startsWith("bind.")).map(([key, value]) => [key.slice(5), value])));
    return true;
  }
  function choose(name, query, kept = {}) {
    state.name = name;
    if (editor.text !== query) editor.text = query;
    const known = byName.get(name);
    at("told").replaceChildren(...(known ? [make("h2", {}, known.summary), make("p", { class: "also" }, `${known.description} `, make("a", { href: `query/${name}.html` }, "Its page"))] : [make("h2", {}, "A question of yours")]));
    state.columns = [];
    fill(queries.variables(query), kept);
    if (Object.keys(kept).length) at("columns").open = true;
    for (const link of at("questions").querySelectorAll("a")) link.toggleAttribute("aria-current", link.dataset.name === name);
  }
  function changed() {
    if (state.name && editor.text !== byName.get(state.name).text) {
      const kept = given();
      choose("", editor.text, kept);
    } else if (!state.name) fill(queries.variables(editor.text), given());
  }

  // History: what was asked, never the answers.
  const past = () => {
    try {
      return JSON.parse(localStorage.getItem(HISTORY) ?? "[]");
    } catch {
      return [];
    }
  };
  function keep(entries) {
    try {
      localStorage.setItem(HISTORY, JSON.stringify(entries));
    } catch {
      // a browser that keeps nothing: the page works without
    }
    at("past").hidden = !entries.length;
    at("history").replaceChildren(
      ...entries.map(({ hash, title, rows, when }) => make("li", {}, make("a", { href: hash }, title), make("small", {}, ` ${rows}, ${new Date(when).toLocaleString("en-GB", { dateStyle: "short", timeStyle: "short" })}`))),
    );
  }
  function remember(rows) {
    const hash = address();
    const fixed = Object.entries(given()).map(([name, value]) => `${name}: ${value}`);
    const own = editor.text.replace(/^(?:#.*|PREFIX.*)$/gim, "").replace(/\s+/g, " ").trim().slice(0, 90);
    const title = [byName.get(state.name)?.summary ?? own, ...fixed].join(" · ");
    keep([{ hash, title, rows, when: Date.now() }, ...past().filter((entry) => entry.hash !== hash)].slice(0, KEEP));
    history.replaceState(null, "", hash);
  }
  at("forget").addEventListener("click", () => keep([]));

  // Asking.
  let clock = 0;
  const busy = (on) => {
    at("run").disabled = on;
    at("cancel").disabled = !on;
    clearInterval(clock);
    if (on) {
      const from = performance.now();
      clock = setInterval(() => (at("state").textContent = `asking for ${Math.round((performance.now() - from) / 1000)} s`), 1000);
    }
  };
  function tell(problem) {
    at("problem").replaceChildren(make("strong", {}, problem.message), ...(problem.remedy ? [make("span", {}, ` ${problem.remedy}`)] : []));
    at("answer").hidden = true;
    at("state").textContent = "";
    if (problem.line) editor.point(problem.line, problem.column);
  }
  const remote = new Remote(site);
  let current = null;

  async function run() {
    if (current) return;
    at("problem").replaceChildren();
    const from = performance.now();
    const mine = (current = {});
    try {
      queries.check(editor.text);
      const form = queries.form(editor.text);
      const whole = queries.bound(editor.text, bindings());
      const ahead = queries.prologue(whole, names.prefixes);
      busy(true);
      mine.by = at("engine").value === "server" ? remote : engine;
      at("state").textContent = mine.by.ready ? "asking" : "loading the graph";
      const union = !queries.saysFrom(whole);
      let got;
      try {
        got = await mine.by.ask({ text: ahead + whole, form, union });
      } catch (error) {
        throw mine.by === engine && !error.stopped ? queries.mistake(error.message, whole, ahead.length, names.prefixes) : error;
      }
      state.result = form === "ASK" ? null : form === "SELECT" ? solutions(got) : triples(got);
      state.said = form === "ASK" ? (got ? "Yes." : "No.") : "";
      const many = state.result ? state.result.rows.length : 0;
      const rows = form === "ASK" ? state.said.toLowerCase().replace(".", "") : `${many.toLocaleString("en")} ${form === "SELECT" ? "row" : "triple"}${many === 1 ? "" : "s"}`;
      if (form === "SELECT") learn();
      at("answer").hidden = false;
      at("tab-chart").disabled = !state.result || many < 2 || !chartable(state.result, shownColumns()).labels.length;
      at("tab-graph").disabled = !state.result || !many || linkable().length < 2;
      at("tab-table").textContent = form === "ASK" ? "Answer" : "Table";
      at("csv").disabled = form === "ASK";
      at("json").textContent = form === "SELECT" || form === "ASK" ? "JSON" : "N-Triples";
      state.got = got;
      show(at(`tab-${state.view}`).disabled ? "table" : state.view);
      remember(rows);
      at("state").textContent = `${rows} in ${((performance.now() - from) / 1000).toFixed(2)} s`;
      at("answer").dataset.ms = String(performance.now() - from);
    } catch (error) {
      if (error.stopped) at("state").textContent = "cancelled";
      else if (error instanceof queries.Problem) tell(error);
      else tell(new queries.Problem(error.message || String(error)));
    } finally {
      busy(false);
      current = null;
    }
  }
  at("run").addEventListener("click", run);
  at("cancel").addEventListener("click", () => {
    current?.by?.stop();
    at("run").disabled = false;
    at("run").focus();
  });

  at("share").addEventListener("click", async () => {
    history.replaceState(null, "", address());
    try {
      await navigator.clipboard.writeText(location.href);
      at("state").textContent = "link copied";
    } catch {
      at("state").textContent = "the address of this page is the link";
    }
  });

  function save(content, suffix, type) {
    const url = URL.createObjectURL(new Blob([content], { type }));
    make("a", { href: url, download: `${state.name || "answer"}.${suffix}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
  at("csv").addEventListener("click", () => save(csv(state.result), "csv", "text/csv"));
  at("json").addEventListener("click", () => {
    if (!state.result) save(JSON.stringify({ head: {}, boolean: state.got }), "json", "application/sparql-results+json");
    else if (state.result.lines) save(state.result.lines.map((line) => `${line}\n`).join(""), "nt", "application/n-triples");
    else save(state.got, "json", "application/sparql-results+json");
  });

  // The catalogue.
  function list() {
    const words = at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = book.queries.filter((q) => words.every((word) => `${q.name} ${q.summary} ${q.tags.join(" ")}`.toLowerCase().includes(word)));
    at("questions").replaceChildren(...fits.map((q) => make("li", {}, make("a", { href: `#name=${q.name}`, "data-name": q.name, "aria-current": q.name === state.name }, q.summary))));
    at("many").textContent = fits.length === book.queries.length ? String(fits.length) : `${fits.length} of ${book.queries.length}`;
  }
  at("find").addEventListener("input", list);
  list();
  at("catalogue").open = matchMedia("(min-width: 62rem)").matches;
  const follow = (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (open(link.getAttribute("href"))) asked();
    if (!matchMedia("(min-width: 62rem)").matches) {
      link.closest("details").open = false;
      at("run").focus();
    }
  };
  for (const id of ["questions", "history"]) at(id).addEventListener("click", follow);
  async function asked() {
    if (current) {
      current.by?.stop();
      while (current) await new Promise((resolve) => setTimeout(resolve));
    }
    run();
  }
  addEventListener("hashchange", () => open(location.hash) && asked());

  keep(past());
  if (await remote.find()) {
    at("where").hidden = false;
  }
  const linked = open(location.hash);
  if (!linked) choose("which-genes", byName.get("which-genes")?.text ?? book.queries[0].text);
  at("run").disabled = false;
  if (linked) run();
  try {
    const { quads, ms } = await loading;
    if (!current && !at("state").textContent) at("state").textContent = `${quads.toLocaleString("en")} statements loaded in ${(ms / 1000).toFixed(2)} s`;
    document.documentElement.dataset.ready = String(Math.round(ms));
  } catch (error) {
    if (!error.stopped) refuse(`The graph could not be loaded: ${error.message}.`);
  }
}
