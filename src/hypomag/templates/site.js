// The site works without this file. It adds: search, evidence that opens where a link leads, paper with all evidence, map highlights.
"use strict";
(() => {
  const openTarget = () => {
    const found = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const box = found && found.closest("details");
    if (box) box.open = true;
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const box of closed) box.open = true;
  });
  addEventListener("afterprint", () => {
    for (const box of closed) box.open = false;
  });

  for (const gene of document.querySelectorAll(".atlas a[data-gene]")) {
    const segments = [...document.querySelectorAll(".atlas .seg")];
    const show = (on) => {
      for (const s of segments) {
        const here = s.dataset.genes.split(" ").includes(gene.dataset.gene);
        s.classList.toggle("on", on && here);
        s.classList.toggle("off", on && !here);
      }
    };
    for (const event of ["mouseenter", "focus"]) gene.addEventListener(event, () => show(true));
    for (const event of ["mouseleave", "blur"]) gene.addEventListener(event, () => show(false));
  }

  const input = document.getElementById("q");
  if (!input || !window.HYPOMAG_INDEX) return;
  // A pasted web address is looked up by what stands last in it.
  const asked = (text) => (/^\s*https?:/i.test(text) ? text.trim().replace(/\/+$/, "").replace(/\.(html|ttl|jsonld)$/, "").split(/[/#]/).pop() : text);
  // Spelling makes no difference: accents, haem or hem, oedema or edema, Gitelman's or Gitelman.
  const fold = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/['\u2019\u0060\u00b4]s\b/g, "").replace(/[ao]e(?=[a-z])/g, "e").replace(/[\s_:/-]+/g, " ").trim();
  // A word begins with what was typed, also without the s of a plural or a possessive.
  const bears = (text, word) => (" " + text).includes(" " + word) || (word.length > 3 && word.endsWith("s") && (" " + text).includes(" " + word.slice(0, -1)));
  // A row is [label, path, kind, other names...]; words of the index are folded once.
  const rows = window.HYPOMAG_INDEX.map((row) => ({ row, names: [row[0], ...row.slice(3)].map(fold) }));
  const rank = (names, query, words) => {
    let best = 0;
    names.forEach((name, place) => {
      const first = place === 0 ? 1 : 0;
      if (name === query) best = Math.max(best, 100 + first);
      else if (name.startsWith(query)) best = Math.max(best, 60 + first + 20 / name.length);
      else if ((" " + name).includes(" " + query)) best = Math.max(best, 40 + first + 20 / name.length);
      else if (words.every((w) => bears(name, w))) best = Math.max(best, 30 + first);
      else if (query.length > 3 && name.includes(query)) best = Math.max(best, 10 + first);
    });
    if (!best) {
      const all = " " + names.join(" ");
      if (words.every((w) => bears(all, w))) best = 5;
    }
    return best;
  };
  const bonus = { Disease: 4, Gene: 3, Finding: 2, Treatment: 2, "Laboratory test": 1, "Class of the vocabulary": -200, "Term of the vocabulary": -200, Relation: -200, Shape: -400 };
  const list = document.getElementById("found");
  const count = document.getElementById("count");
  const search = () => {
    const query = fold(asked(input.value));
    list.textContent = "";
    count.textContent = "";
    document.title = query ? `${input.value} · hypomag` : "Search · hypomag";
    if (query.length < 2) return;
    // "HOMG 3" is HOMG3.
    const ways = [...new Set([query, query.replace(/([a-z]) (?=\d)/g, "$1")])].map((way) => [way, way.split(" ")]);
    const words = query.split(" ");
    const hits = rows
      .map(({ row, names }) => ({ row, names, score: Math.max(...ways.map(([way, parts]) => rank(names, way, parts))) }))
      .filter((hit) => hit.score > 0)
      .sort((a, b) => b.score + (bonus[b.row[2]] || 0) - a.score - (bonus[a.row[2]] || 0) || (a.row[0] < b.row[0] ? -1 : 1));
    count.textContent = hits.length ? `${hits.length} found${hits.length > 40 ? ", the first 40 shown" : ""}` : "Nothing bears that name.";
    for (const { row, names } of hits.slice(0, 40)) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = row[1];
      link.textContent = row[0];
      const note = document.createElement("small");
      const other = names.slice(1).findIndex((name) => name.includes(query) || words.every((w) => name.includes(w)));
      note.textContent = ` ${row[2]}${other >= 0 ? ` · also called ${row[3 + other]}` : ""}`;
      item.append(link, note);
      list.append(item);
    }
  };
  input.value = new URLSearchParams(location.search).get("q") || "";
  input.addEventListener("input", search);
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const here = new URL(location.href);
    here.searchParams.set("q", input.value);
    history.replaceState(null, "", here);
    search();
  });
  search();
  if (!input.value) input.focus();
})();
