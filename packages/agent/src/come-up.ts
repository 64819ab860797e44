import type { Registry } from "@midflight/protocol";
import type { AgentParts } from "./agent.ts";
import { fetchOverlay, takeWay } from "./fetch.ts";
import { bootShape, type Live } from "./live.ts";
import { readLiveRecord } from "./live-record.ts";
import { Pace } from "./pace.ts";
import { wait } from "./wait.ts";

/**
 * Brings the process to the release that it is to run, before its app loads. Ends when that is done, when it is clear
 * that it cannot be done now, or when `deadline` is aborted; then the last release that was live here is taken from disk.
 *
 * @param connected settles when the newest assign is known; false: the registry is away
 */
export async function comeUp(parts: AgentParts, connected: Promise<boolean>, liveFile: string, deadline: AbortSignal): Promise<Live> {
  const isConnected = await Promise.race([connected, untilAborted(deadline)]);
  const assigned = isConnected === true ? await comeUpAssigned(parts, deadline) : null;
  return assigned ?? (await comeUpRecorded(parts, liveFile)) ?? bootShape(parts.boot);
}

async function comeUpAssigned(parts: AgentParts, deadline: AbortSignal): Promise<Live | null> {
  const { boot, inbox, orders, floor, runtime, sources, onTrouble } = parts;
  const pace = new Pace();
  for (;;) {
    const seen = inbox.changes;
    const choice = await orders.next(boot.id);
    if (choice.kind === "keep") return bootShape(boot);
    if (choice.kind === "none") return null;
    const { order } = choice;
    const result = await fetchOverlay(sources, order.assign.release, pace, deadline);
    if (deadline.aborted || result.kind === "given-up") {
      orders.putBack();
      return null;
    }
    if (result.kind === "refused" && result.code === "TRANSITION_MISSING") {
      // Whoever plans the ways sees this process by its beat: the way may come while we wait.
      orders.putBack();
      await Promise.race([inbox.changed(seen), untilAborted(deadline)]);
      if (deadline.aborted) return null;
      continue;
    }
    if (result.kind === "refused") {
      orders.refuse(order, result, null);
      return null;
    }
    try {
      await floor.raise(order.assign);
    } catch (problem) {
      onTrouble("floor", problem);
      orders.putBack();
      return null;
    }
    if (runtime.adopt(result.overlay).kind === "refused") {
      // It needs modules that only the app loads: an ordinary swap may do what could not be done before.
      orders.putBack();
      return null;
    }
    orders.done(order);
    return { overlay: result.overlay, way: result.way, blobs: result.blobs, generation: 0 };
  }
}

/** What was live here before, if it still leads from the boot release, still verifies, and is all there. */
async function comeUpRecorded(parts: AgentParts, liveFile: string): Promise<Live | null> {
  const { sources, floor, runtime, onTrouble } = parts;
  const way = await readLiveRecord(liveFile);
  if (way === null) return null;
  try {
    const result = await takeWay({ ...sources, registry: nothingBeyondTheCache }, way, null, new Pace());
    if (result.kind !== "fetched" || floor.findReverted(result.overlay.release) !== null) return null;
    const live: Live = { overlay: result.overlay, way: result.way, blobs: result.blobs, generation: 0 };
    // A top level runs before it can run again, and some modules are there only once the app has loaded.
    return runtime.adopt(result.overlay).kind === "adopted" ? live : { ...bootShape(sources.boot), next: live };
  } catch (problem) {
    onTrouble("live-record", problem);
    return null;
  }
}

const nothingBeyondTheCache: Pick<Registry, "entry" | "transition" | "getBlobs"> = {
  entry: () => Promise.resolve(null),
  transition: () => Promise.resolve(null),
  getBlobs: () => Promise.resolve([]),
};

function untilAborted(signal: AbortSignal): Promise<void> {
  return wait(0x7fff_ffff, signal);
}
