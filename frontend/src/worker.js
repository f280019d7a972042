// The engine beside the page: it holds the graph and answers one query at a time. To stop it, the page ends this worker.
import { Store, initSync } from "oxigraph/web.js";

let store;

const jobs = {
  start({ module, data }) {
    initSync({ module });
    store = new Store();
    store.load(data, { format: "application/trig", no_transaction: true });
    return { quads: store.size };
  },
  ask({ text, form, union }) {
    const how = { use_default_graph_as_union: union };
    if (form === "ASK") return { answer: store.query(text, how) };
    return { answer: store.query(text, { ...how, results_format: form === "SELECT" ? "json" : "application/n-triples" }) };
  },
};

self.onmessage = ({ data: { id, job, ...rest } }) => {
  const start = performance.now();
  try {
    self.postMessage({ id, ...jobs[job](rest), ms: performance.now() - start });
  } catch (error) {
    self.postMessage({ id, problem: String(error?.message ?? error) });
  }
};
