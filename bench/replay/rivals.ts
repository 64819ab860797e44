import { rmSync } from "node:fs";
import { layLibrary, runPlain, type ReplayCase } from "./open-case.ts";
import { startPlain } from "./replay-process.ts";
import { failuresOf, firstLine, scoreLive, type Scored } from "./score.ts";
import { unitsOf, writeLibrary } from "./test-directory.ts";

export type RivalName = "LiveEdit" | "require-cache purge" | "rolling restart";

/** What others make of the same case. Stock HotSwap, the fourth of them, is the JVM's and knows no JavaScript. */
export async function replayRivals(one: ReplayCase): Promise<Readonly<Record<RivalName, Scored>>> {
  return {
    LiveEdit: await replayIn(one, "live-edit", async (process) => {
      const changed = unitsOf(one.after).filter((unit) => one.before.files.get(unit)?.equals(one.after.files.get(unit)!) === false);
      const { statuses } = await process.ask("liveEdit", { files: changed.map((unit) => ({ unit, text: one.after.files.get(unit)!.toString("utf8") })) });
      const refused = (statuses as readonly string[]).filter((status) => status !== "Ok");
      return refused.length === 0 ? null : `V8 refused it: ${refused.join(", ")}`;
    }),
    "require-cache purge": await replayIn(one, "purge", async (process) => {
      const { purged } = await process.ask("purge");
      return purged === 0 ? "there is no cache of ES modules to purge" : null;
    }),
    "rolling restart": await restart(one),
  };
}

/** A plain process of the code before, which some way takes to the commit; `how` answers why it did not, or null. */
async function replayIn(one: ReplayCase, name: string, how: (process: Awaited<ReturnType<typeof startPlain>>) => Promise<string | null>): Promise<Scored> {
  const library = layLibrary(one.directory, name, one.before, one.installed);
  let process: Awaited<ReturnType<typeof startPlain>> | null = null;
  try {
    process = await startPlain(library, one.setup);
    await process.ask("load");
    if (one.warmUp !== null) await process.runTests({ ...one.warmUp, directory: one.layTests("before", `${name}-warm-up`, library) });
    await process.ask("hold");
    writeLibrary(library, one.after, null, one.before);
    const refused = await how(process);
    if (refused !== null) return { score: "replaced", because: refused };
    const run = await process.runTests({ ...one.order, directory: one.layTests("after", `${name}-tests`, library) });
    // Nothing reads back what is live: what it says it did is all that there is.
    return scoreLive({ disturbed: await process.disturbed(), isAttested: true, fresh: run.fresh, failures: failuresOf(one.expectation, run), failsCold: false });
  } catch (error) {
    return { score: "wrong", because: firstLine((error as Error).message) };
  } finally {
    await process?.close();
    rmSync(library, { recursive: true, force: true });
  }
}

/** Another process on the new code: right, and what the former held in memory is gone. */
async function restart(one: ReplayCase): Promise<Scored> {
  const library = layLibrary(one.directory, "restart", one.after, one.installed);
  const run = (await runPlain(library, one.setup, [{ ...one.order, directory: one.layTests("after", "restart-tests", library) }])).at(-1)!;
  const failures = failuresOf(one.expectation, run);
  return failures.length === 0 ? { score: "replaced", because: "a new process: memory, sockets and instances are gone" } : { score: "wrong", because: `${failures.length} failed: ${failures[0]!.title}` };
}
