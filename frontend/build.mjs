// Bundles the page that asks into dist/: script, worker, engine, style, licences of what is inside.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "dist");
await rm(out, { recursive: true, force: true });
await mkdir(out);

const made = await build({
  absWorkingDir: here,
  entryPoints: { ask: "src/ask.js", worker: "src/worker.js", style: "src/ask.css" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife", // a module script would not start from a folder, and the page could not even say why
  target: ["chrome111", "firefox113", "safari16.4"],
  define: { "import.meta.url": "self.location.href" },
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});
const oxigraph = dirname(createRequire(import.meta.url).resolve("oxigraph/package.json"));
await copyFile(join(oxigraph, "web_bg.wasm"), join(out, "engine.wasm"));

// Every package whose code is in the bundle, with its licence as it was published.
const inside = Object.values(made.metafile.outputs).flatMap((output) => Object.entries(output.inputs).filter(([, part]) => part.bytesInOutput > 0));
const folders = new Set(inside.map(([path]) => /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean));
const told = [];
for (const folder of [...folders].sort()) {
  const about = JSON.parse(await readFile(join(here, folder, "package.json"), "utf8"));
  const files = (await readdir(join(here, folder))).filter((name) => /^(licen[cs]e|notice)/i.test(name)).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(here, folder, name), "utf8")));
  told.push([`${about.name} ${about.version} (${about.license})`, ...texts.map((text) => text.trim())].join("\n\n"));
}
await writeFile(join(out, "licences.txt"), `Software of others in ask.js, worker.js and engine.wasm.\n\n${told.join(`\n\n${"-".repeat(72)}\n\n`)}\n`);
