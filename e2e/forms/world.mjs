// Loads code as a process of its own would, instrumented or not, and swaps it live.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { createRuntime } from "@midflight/agent/runtime";
import { analyzeUnit, planTransition } from "@midflight/planner";

const hookSymbol = Symbol.for("midflight.agent.v1");
export const hash = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const isUnit = (path) => /\.[mc]?js$/.test(path);
const formatOf = (path) => (path.endsWith(".cjs") ? "cjs" : "esm");
const filesOf = (side) => (typeof side === "string" ? { "m.mjs": side } : side);

export function shapeOf(files) {
  const entries = Object.entries(files);
  return {
    units: new Map(entries.filter(([path]) => isUnit(path)).map(([path, text]) => [path, analyzeUnit(path, text, formatOf(path), hash)])),
    assets: new Map(entries.filter(([path]) => !isUnit(path)).map(([path, text]) => [path, { digest: hash(text), inert: false }])),
    lock: null,
  };
}

export function overlayOf(plan, target) {
  const textOf = (unit) => target.units.get(unit).artifact;
  return {
    release: hash(JSON.stringify(plan)),
    units: plan.units.map(({ unit, birth, ops }) => ({ birth, ops, text: textOf(unit) })),
    added: plan.added.map(({ unit, format }) => ({ unit, format, digest: hash(textOf(unit)), text: textOf(unit) })),
  };
}

async function shown(make) {
  try {
    return JSON.stringify(await make()) ?? "undefined";
  } catch (error) {
    return `throws ${error.name}: ${error.message}`;
  }
}

/** Each load gets a directory of its own below `directory`, so that no module is found loaded already. */
export function createWorld(directory) {
  const require = createRequire(import.meta.url);
  let serial = 0;

  async function load(root, files, textOf) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), textOf(path, text));
    }
    const entry = join(root, Object.keys(files)[0]);
    return entry.endsWith(".cjs") ? require(entry) : await import(pathToFileURL(entry).href);
  }

  return {
    /** Boots `boot`, goes live through `steps`, probes at the end. */
    async live(boot, steps, { setup, between, probe }) {
      const bootFiles = filesOf(boot);
      const bootShape = shapeOf(bootFiles);
      const root = join(directory, `${process.version}-${++serial}`);
      const runtime = createRuntime({ releaseDirectory: root, hash });
      runtime.install();
      const module = await load(root, bootFiles, (path, text) => bootShape.units.get(path)?.artifact ?? text);
      delete globalThis[hookSymbol];
      const state = await setup?.(module);
      const touched = new Set();
      let last = { rung: "patch", verdicts: [] };
      for (const step of steps) {
        const target = shapeOf(filesOf(step));
        last = planTransition({ boot: bootShape, target, touched, hash });
        if (last.rung === "replace") return last;
        for (const { unit } of last.units) touched.add(unit);
        const staged = await runtime.stage(overlayOf(last, target));
        if (staged.kind !== "staged") return { ...last, got: `refused: ${staged.reason}` };
        const result = runtime.commit(staged.staged);
        if (result.kind !== "committed") return { ...last, got: `undone: ${result.reason}` };
        const { drift } = await runtime.readTexts();
        if (drift.length > 0) return { ...last, got: `read back other than written: ${JSON.stringify(drift)}` };
        await between?.(module, state);
      }
      return { ...last, got: await shown(() => probe(module, state)) };
    },

    /** A cold start of `files` as they are. `swaps`: how often what comes between swaps is done. */
    async cold(files, { setup, between, probe }, swaps = 1) {
      const module = await load(join(directory, `${process.version}-${++serial}`), filesOf(files), (_, text) => text);
      const state = await setup?.(module);
      for (let i = 0; i < swaps; i++) await between?.(module, state);
      return shown(() => probe(module, state));
    },
  };
}
