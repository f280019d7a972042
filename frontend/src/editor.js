// The editor: SPARQL with colours, completion of our terms by CURIE or name, of prefixes, variables and words of the language.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, drawSelection, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { SparqlLanguage } from "codemirror-lang-sparql";
import { SOURCES } from "./results.js";

const WORDS = (
  "SELECT DISTINCT REDUCED CONSTRUCT DESCRIBE ASK WHERE FROM NAMED GRAPH OPTIONAL UNION MINUS FILTER BIND VALUES UNDEF AS GROUP BY HAVING ORDER ASC DESC " +
  "LIMIT OFFSET EXISTS NOT IN COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT STR LANG LANGMATCHES DATATYPE BOUND IRI COALESCE IF STRLEN SUBSTR UCASE LCASE " +
  "CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER REPLACE REGEX CONCAT ROUND ABS CEIL FLOOR sameTerm isIRI isLITERAL isNUMERIC"
).split(" ");

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--link)", fontWeight: "600" },
  { tag: tags.variableName, color: "var(--down)" },
  { tag: [tags.string, tags.annotation], color: "var(--up)" },
  { tag: [tags.integer, tags.float, tags.bool], color: "var(--up)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "var(--page)", color: "var(--ink)", border: "1px solid var(--soft)", borderRadius: "4px", fontSize: ".9rem" },
  "&.cm-focused": { outline: "3px solid var(--link)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: 'ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace', lineHeight: "1.55", maxHeight: "17rem", minHeight: "9rem", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: ".5rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--tint)", color: "var(--soft)", border: "none", borderRight: "1px solid var(--line)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--pale)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--mark)", color: "var(--ink)" },
  ".cm-tooltip": { backgroundColor: "var(--page)", color: "var(--ink)", border: "1px solid var(--soft)", borderRadius: "4px", maxWidth: "min(40rem, 90vw)" },
  // A page of options at a time instead of a list that scrolls, which no key would reach.
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "inherit", maxHeight: "none", overflow: "hidden", minWidth: "min(16rem, 80vw)" },
  ".cm-tooltip-autocomplete > ul > li": { padding: ".15rem .5rem" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--link)", color: "var(--page)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { fontStyle: "normal", color: "var(--soft)", marginLeft: ".8rem" },
  "li[aria-selected] .cm-completionDetail": { color: "var(--page)" },
});

function options(names) {
  const terms = names.terms.map(([curie, label, , kind]) => ({ label: curie, detail: label, info: kind }));
  const things = names.terms.filter(([, , , kind]) => !SOURCES.has(kind)); // a source is found by its CURIE
  const named = things.map(([curie, label, , kind]) => ({ label, detail: `${curie} · ${kind}`, apply: curie, boost: -1 }));
  const prefixes = Object.entries(names.prefixes).map(([prefix, space]) => ({ label: `${prefix}:`, detail: space, boost: 1 }));
  const words = WORDS.map((word) => ({ label: word, type: "keyword", boost: 2 }));
  const labels = names.terms.map(([, label]) => label.toLowerCase());
  return { terms, anything: [...words, ...prefixes, ...named], words, starts: (text) => labels.some((label) => label.startsWith(text)) };
}

// What is typed over a selection is written by us: browsers write it with styles of their own, which the policy of the page refuses.
const over = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== "insertText" || !event.data || empty || view.composing) return false;
    event.preventDefault();
    const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, insert))) view.dispatch(insert());
    return true;
  },
});

export function create(root, { names, ask, changed }) {
  const known = options(names);
  const complete = (context) => {
    const variable = context.matchBefore(/[?$]\w*/);
    if (variable) {
      const seen = new Set(context.state.doc.toString().match(/[?$]\w+/g));
      seen.delete(variable.text);
      return { from: variable.from, options: [...seen].map((label) => ({ label, type: "variable" })), validFor: /^[?$]\w*$/ };
    }
    const curie = context.matchBefore(/[A-Za-z][\w.-]*:[\w.-]*/);
    if (curie) return { from: curie.from, options: known.terms, validFor: /^[\w.:-]*$/ };
    const words = context.matchBefore(/[A-Za-z][\w-]*(?: [\w-]+)+/);
    const begun = words && known.starts(words.text.toLowerCase());
    const word = begun ? words : context.matchBefore(/[A-Za-z][\w-]*/);
    if (!word && !context.explicit) return null;
    return { from: word ? word.from : context.pos, options: word ? known.anything : known.words, validFor: /^[\w -]*$/ };
  };
  const view = new EditorView({
    root: root.getRootNode(),
    parent: root,
    state: EditorState.create({
      extensions: [
        // Tab leaves the editor, as in any field; the keys of the completion list come first.
        Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (ask(), true) }])),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap]),
        lineNumbers(), history(), drawSelection(), bracketMatching(), closeBrackets(), EditorView.lineWrapping,
        SparqlLanguage, syntaxHighlighting(colours), autocompletion({ override: [complete], maxRenderedOptions: 9 }), look, over,
        EditorView.contentAttributes.of({ "aria-label": "Query in SPARQL", spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of((update) => update.docChanged && changed()),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    set text(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 } });
    },
    point(line, column) {
      const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: Math.min(at.from + column - 1, at.to) }, scrollIntoView: true });
      view.focus();
    },
    focus: () => view.focus(),
  };
}
