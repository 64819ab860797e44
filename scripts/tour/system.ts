import { awaitRollout, connectControl, openAssigner, readHistory, readStatus, startControl, type Connection, type Control, type Member, type ResolvedConfig } from "@midflight/control";
import type { PublishOutcome } from "@midflight/publisher";
import type { Provenance, ReleaseId } from "@midflight/protocol";
import { loadConfig } from "../../packages/midflight/src/config/load-config.ts";
import { originOf } from "../../packages/midflight/src/view/release-view.ts";
import type { EventLog } from "./event-log.ts";

/** The running whole: registry, publisher, and the shop's processes with their agents. */
export interface System {
  readonly config: ResolvedConfig;
  readonly connection: Connection;
  /** URL by target. */
  readonly urls: ReadonlyMap<string, string>;
  live(): Promise<Live>;
  /** Waits until every process has said what it runs. */
  settled(live: Live): Promise<readonly Member[]>;
  /** Goes back to the release before. */
  rollback(): Promise<PublishOutcome>;
  close(): Promise<void>;
}

/** What the channel says now, with all processes. */
export interface Live {
  readonly release: ReleaseId;
  readonly counter: number;
  /** "r2 8c1f9ae"; "+" where the code was not committed yet. */
  readonly name: string;
  readonly provenance: Provenance;
  readonly numbers: ReadonlyMap<ReleaseId, number>;
  readonly members: readonly Member[];
}

const settledWithinMs = 30_000;

/** Starts everything, and watches the code if it is told to. @throws what `startControl` throws, and an Error if a process does not come up */
export async function openSystem(folder: string, log: EventLog, signal: AbortSignal, { watch }: { readonly watch: boolean }): Promise<System> {
  const config = await loadConfig({ directory: folder, variables: {} });
  const control = await startControl(config, { watch, listen: (event) => log.add(event) });
  try {
    const urls = await whereTheyAnswer(control, log, signal);
    const connection = await connectControl(config, "publisher");
    return {
      config,
      connection,
      urls,
      live: () => readLive(connection),
      settled: async ({ release, counter }) => (await awaitRollout(connection, { release, counter, signal: AbortSignal.any([signal, AbortSignal.timeout(settledWithinMs)]) })).members,
      rollback: () => openAssigner(connection).rollback(),
      close: async () => {
        await connection.close();
        await control.close();
      },
    };
  } catch (error) {
    await control.close();
    throw error;
  }
}

async function whereTheyAnswer(control: Control, log: EventLog, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const aborted = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
  const outcomes = await Promise.race([control.started, aborted]);
  if (outcomes.includes("failed")) throw new Error("the shop did not come up");
  const ready = await log.wait(0, "the shop's processes", (event) => event.kind === "process-ready", outcomes.length);
  return new Map(ready.flatMap(({ event }) => (event.kind === "process-ready" && event.url !== null ? [[event.target, event.url] as const] : [])).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function readLive(connection: Connection): Promise<Live> {
  const history = await readHistory(connection);
  const status = await readStatus(connection, history);
  if (status.live === null || history.head === null) throw new Error("nothing is live");
  const { number, release, id } = status.live;
  const { provenance } = release;
  const name = `r${number} ${originOf(provenance, id)}`;
  const members = status.services.flatMap((service) => service.members);
  return { release: id, counter: history.head.counter, name, provenance, numbers: status.numbers, members };
}
