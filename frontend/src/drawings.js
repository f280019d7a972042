// Answers as pictures: bars, and a network. Both are drawings beside the table, which says the same in words.
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force";
import { isNumber } from "./results.js";

const SVG = "http://www.w3.org/2000/svg";
export const MOST_BARS = 60;
export const MOST_EDGES = 150;

export function draw(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// What a chart can show: columns of numbers, columns of names.
export function chartable({ rows }, shown) {
  const held = (column, fits) => {
    const terms = rows.map((row) => row[column.place]).filter(Boolean);
    return terms.length > 0 && terms.every(fits);
  };
  const numbers = shown.filter((column) => held(column, isNumber));
  const labels = shown.filter((column) => !numbers.includes(column) && rows.some((row) => row[column.place]));
  return { numbers, labels };
}

// Bars: one a row with the number in a column, or one a name with the count of its rows. Gives { bars, more }.
export function counted(rows, say, number) {
  if (number) {
    const bars = rows.filter((row) => row[number.place]).map((row) => ({ name: say(row), value: Number(row[number.place].value) }));
    return { bars: bars.slice(0, MOST_BARS), more: bars.length - MOST_BARS };
  }
  const counts = new Map();
  for (const row of rows) counts.set(say(row), (counts.get(say(row)) ?? 0) + 1);
  const bars = [...counts].map(([name, value]) => ({ name: name || "(nothing)", value })).sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
  return { bars: bars.slice(0, MOST_BARS), more: bars.length - MOST_BARS };
}

export function chart(bars, title) {
  const [wide, left, high, right] = [860, 300, 24, 70];
  const low = Math.min(0, ...bars.map((bar) => bar.value));
  const top = Math.max(0, ...bars.map((bar) => bar.value)) || (low < 0 ? 0 : 1);
  const x = (value) => left + ((value - low) / (top - low)) * (wide - left - right);
  const figure = draw("svg", { viewBox: `0 0 ${wide} ${bars.length * high + 8}`, width: wide, height: bars.length * high + 8, class: "chart", role: "img", "aria-label": title });
  bars.forEach((bar, place) => {
    const y = place * high + 4;
    const from = Math.min(x(0), x(bar.value));
    figure.append(
      draw(
        "g",
        {},
        draw("title", {}, `${bar.name}: ${bar.value}`),
        draw("text", { x: left - 10, y: y + 15, class: "name" }, cut(bar.name, 42)),
        draw("rect", { x: from, y: y + 2, width: Math.max(Math.abs(x(bar.value) - x(0)), 1), height: high - 7, rx: 2 }),
        draw("text", { x: Math.max(x(0), x(bar.value)) + 6, y: y + 15, class: "value" }, bar.value.toLocaleString("en")),
      ),
    );
  });
  figure.append(draw("line", { x1: x(0), x2: x(0), y1: 2, y2: bars.length * high + 4, class: "axis" }));
  return figure;
}

// Edges between the entities of two columns, each once, with what a third column says. Gives { edges, more }.
export function edges(rows, from, to, over) {
  const found = new Map();
  for (const row of rows) {
    const [a, b, word] = [row[from.place], row[to.place], over && row[over.place]];
    if (a?.type !== "uri" || b?.type !== "uri" || a.value === b.value) continue;
    const key = `${a.value} ${b.value}`;
    if (!found.has(key)) found.set(key, { source: a.value, target: b.value, row, words: new Set() });
    if (word) found.get(key).words.add(row);
  }
  const every = [...found.values()];
  return { edges: every.slice(0, MOST_EDGES), more: every.length - MOST_EDGES };
}

// A network, laid out by d3-force from fixed places: the same answer gives the same picture.
export function network(lines, about, title) {
  const nodes = [...new Set(lines.flatMap(({ source, target }) => [source, target]))].map((id) => ({ id, ...about(id) }));
  const links = lines.map((line) => ({ ...line }));
  forceSimulation(nodes)
    .force("link", forceLink(links).id((node) => node.id).distance(95))
    .force("apart", forceManyBody().strength(-380).distanceMax(420))
    .force("round", forceCollide(42))
    .force("x", forceX().strength(0.05))
    .force("y", forceY().strength(0.11))
    .stop()
    .tick(300);
  const pad = 90;
  const [left, up] = [Math.min(...nodes.map((n) => n.x)) - pad, Math.min(...nodes.map((n) => n.y)) - 40];
  const [wide, high] = [Math.max(...nodes.map((n) => n.x)) + pad - left, Math.max(...nodes.map((n) => n.y)) + 40 - up].map(Math.ceil);
  const figure = draw("svg", { viewBox: `${Math.floor(left)} ${Math.floor(up)} ${wide} ${high}`, width: Math.round(wide * 0.9), height: Math.round(high * 0.9), class: "network", role: "group", "aria-label": title });
  const tip = draw("marker", { id: "tip", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, draw("path", { d: "M0 0 8 4 0 8z" }));
  figure.append(draw("defs", {}, tip));
  const crowded = links.length > 30;
  for (const { source, target, said } of links) {
    const [dx, dy] = [target.x - source.x, target.y - source.y];
    const far = Math.hypot(dx, dy) || 1;
    const [x2, y2] = [target.x - (dx / far) * 9, target.y - (dy / far) * 9];
    const line = draw("g", { class: "edge" }, draw("title", {}, `${source.text} → ${target.text}${said ? `: ${said}` : ""}`), draw("line", { x1: source.x, y1: source.y, x2, y2, "marker-end": "url(#tip)" }));
    if (said && !crowded) line.append(draw("text", { x: (source.x + target.x) / 2, y: (source.y + target.y) / 2 - 3 }, cut(said, 28)));
    figure.append(line);
  }
  for (const node of nodes) {
    const spot = [draw("title", {}, node.title), draw("circle", { cx: node.x, cy: node.y, r: 7 }), draw("text", { x: node.x, y: node.y + 20 }, cut(node.text, 26))];
    figure.append(node.href ? draw("a", { href: node.href, class: node.kind }, ...spot) : draw("g", { class: node.kind }, ...spot));
  }
  return figure;
}
