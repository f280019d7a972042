// Who answers: the engine in a worker of this page, or the server that the page came from. Both can be stopped.

class Stopped extends Error {
  stopped = true;
}

async function take(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`);
  return response;
}

// What a file host sends of a .gz differs: some unpack it on the way.
async function unpacked(url) {
  const bytes = new Uint8Array(await (await take(url)).arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function compiled(url) {
  const response = await take(url);
  // A host that does not know the media type is no reason to fail.
  return response.headers.get("content-type")?.startsWith("application/wasm") ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

export class Engine {
  ready = false;
  #id = 0;
  #waiting = new Map();

  constructor(site) {
    this.site = site;
  }

  // Fetch engine and graph once and start a worker on them; gives quads and milliseconds.
  load() {
    const from = performance.now();
    this.parts ??= Promise.all([compiled(new URL("ask/engine.wasm", this.site)), unpacked(new URL("ask/hypomag.trig.gz", this.site))]);
    this.started = this.parts.then(async ([module, data]) => {
      this.worker = new Worker(new URL("ask/worker.js", this.site));
      this.worker.onmessage = ({ data: { id, problem, ...rest } }) => {
        const { resolve, reject } = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (problem === undefined) resolve(rest);
        else reject(new Error(problem));
      };
      this.worker.onerror = (event) => this.#fail(new Error(event.message || "the worker did not start"));
      const { quads } = await this.#send({ job: "start", module, data });
      this.ready = true;
      return { quads, ms: performance.now() - from };
    });
    return this.started;
  }

  async ask(question) {
    await this.#until(this.started);
    return (await this.#send({ job: "ask", ...question })).answer;
  }

  // The engine cannot be interrupted from within: end its worker, start another.
  stop() {
    this.worker?.terminate();
    this.ready = false;
    this.#fail(new Stopped("cancelled"));
    this.halt?.(new Stopped("cancelled"));
    this.load().catch(() => {});
  }

  #until(promise) {
    return Promise.race([promise, new Promise((_, reject) => (this.halt = reject))]);
  }

  #send(message) {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...message });
    });
  }

  #fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

const ENDPOINT = "http://www.w3.org/ns/sparql-service-description#endpoint";
const MEDIA = { SELECT: "application/sparql-results+json", ASK: "application/sparql-results+json" };

export class Remote {
  ready = true;

  constructor(site) {
    this.site = site;
  }

  // A server that answers SPARQL says so in a header of this page; a file host says nothing, and is asked nothing more.
  async find() {
    try {
      const { headers } = await fetch(new URL("ask.html", this.site), { method: "HEAD" });
      const link = (headers.get("link") ?? "").split(",").find((part) => part.includes(`rel="${ENDPOINT}"`));
      this.url = link && new URL(/<([^>]*)>/.exec(link)[1], this.site);
      return Boolean(this.url) && this.url.origin === this.site.origin;
    } catch {
      return false;
    }
  }

  async ask({ text, form }) {
    this.control = new AbortController();
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/sparql-query", Accept: MEDIA[form] ?? "application/n-triples" },
        body: text,
        signal: this.control.signal,
      });
      const answer = await response.text();
      if (!response.ok) throw new Error(`the server: ${answer.trim().slice(0, 400) || response.status}`);
      return form === "ASK" ? JSON.parse(answer).boolean : answer;
    } catch (error) {
      throw error.name === "AbortError" ? new Stopped("cancelled") : error;
    }
  }

  stop() {
    this.control?.abort();
  }
}
