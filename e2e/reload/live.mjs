// Boots instrumented units in this process and takes them from release to release, as an agent does.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { createRuntime } from "@midflight/agent/runtime";
import { planTransition } from "@midflight/planner";
import { hash, overlayOf, shapeOf } from "./world.mjs";

let serial = 0;
let last = null;
const require = createRequire(import.meta.url);

/** @param files the boot release; the first is the entry */
export async function boot(directory, files, options = {}) {
  const root = join(directory, `${process.version}-${++serial}`);
  const bootShape = shapeOf(files);
  const bootArtifacts = new Map([...bootShape.units].map(([unit, { artifact }]) => [unit, hash(artifact)]));
  const runtime = createRuntime({ releaseDirectory: root, hash, bootArtifacts, lingerMs: 5, requests: { holdMs: 60_000 }, ...options });
  last?.uninstall();
  last = runtime;
  runtime.install();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bootShape.units.get(path)?.artifact ?? text);
  }
  const load = async (path, query = "") => (path.endsWith(".cjs") ? require(join(root, path)) : await import(pathToFileURL(join(root, path)).href + query));
  const m = await load(Object.keys(files)[0]);
  const touched = new Set();
  const reloaded = new Set();
  let live = bootShape;
  const plan = (next) => planTransition({ boot: bootShape, target: shapeOf({ ...files, ...next }), touched, reloaded, live, hash });
  return {
    m, runtime, load, plan, root,
    stage: async (next) => (await runtime.stage(overlayOf(plan(next), shapeOf({ ...files, ...next })))).staged,
    /** What became of it: the rung, or why not. `onDrain` is called once new requests are held, if they are. */
    async swap(next, onDrain = () => undefined) {
      const planned = plan(next);
      if (planned.rung === "replace") {
        const { unit, reason, rejected } = planned.verdicts.find(({ rung }) => rung === "replace");
        return `replace: ${unit}: ${reason}; reload: ${rejected.find(({ rung }) => rung === "reload")?.because}`;
      }
      for (const { unit } of planned.units) touched.add(unit);
      for (const { unit, rung } of planned.verdicts) if (rung === "reload") reloaded.add(unit);
      await runtime.single();
      const staged = await runtime.stage(overlayOf(planned, shapeOf({ ...files, ...next })));
      if (staged.kind !== "staged") return `${staged.code}: ${staged.reason}`;
      const drained = runtime.drain(staged.staged);
      onDrain();
      const busy = await drained;
      if (busy !== null) return `${busy.code}: ${busy.reason}`;
      const result = runtime.commit(staged.staged);
      if (result.kind === "committed") live = shapeOf({ ...files, ...next });
      return result.kind === "committed" ? planned.rung : `${result.code}: ${result.reason}`;
    },
    end: () => runtime.uninstall(),
  };
}
