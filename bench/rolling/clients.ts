import { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { IdLedger, startLoad, type LoadReport, type RequestSpec } from "@midflight/testkit";
import { streamOnce, uploadSlowly } from "../../e2e/replace/shop-clients.ts";
import { round } from "../statistics.ts";
import type { Project } from "./project.ts";

/** What became of everything that clients asked for. */
export interface Served {
  readonly requests: number;
  readonly failed: number;
  /** By how. */
  readonly failures: LoadReport["failures"];
  /** Ids that were written down more than once. */
  readonly doubled: number;
  /** Ids of which a client was told that they are written down, and are not. */
  readonly missing: number;
  readonly items: number;
  /** Connections that were kept from request to request, and those of them that clients had to open again. */
  readonly keptConnections: number;
  readonly reconnects: number;
  readonly uploads: number;
  readonly failedUploads: number;
  /** Event streams that came to an end, and those of them that were cut, not ended with a time to come again. */
  readonly endedStreams: number;
  readonly cutStreams: number;
  /** The like of WebSockets: cut without the word (1012) to come again. */
  readonly endedSockets: number;
  readonly cutSockets: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** How late the generator itself was, at the 99.9th percentile. */
  readonly lateP999Ms: number;
  readonly voidBecause: string | null;
}

const streams = 20;
const sockets = 20;
const comeBackMs = 50;
const messageMs = 200;

export interface Clients {
  stop(): Promise<Served>;
}

/** 2 % of the requests are slow, 5 % write down an id of their own, a tenth comes on a connection of its own. */
function plan(i: number): RequestSpec {
  // Not in step with the connections: of the slow ones, too, a tenth is new.
  const at = i + Math.floor(i / 10);
  if (at % 50 === 7) return { path: "/slow" };
  if (at % 20 === 3) return { path: `/items/${i}`, method: "POST", body: { i }, status: 201 };
  return { path: "/" };
}

/** `isHttpAlone`: no uploads, event streams or WebSockets. */
export function startRollingClients(project: Project, ratePerSecond: number, isHttpAlone = false): Clients {
  const stopping = new AbortController();
  const { signal } = stopping;
  const promised = new IdLedger();
  const counts = { uploads: 0, failedUploads: 0, endedStreams: 0, cutStreams: 0, endedSockets: 0, cutSockets: 0 };
  project.forgetItems();
  const load = startLoad({
    target: project.url, ratePerSecond, plan, connections: "mixed", until: signal, arrivals: "poisson",
    // The machine starts processes meanwhile, and rivals leave requests hanging; what is slow is told, and is no failure here.
    timeoutMs: 10_000, maxLatenessMs: 1000,
    validate: (response, _i, { path }) => (path.startsWith("/items/") ? promised.record((response.json() as { id: unknown }).id) : response.json() === null ? "nothing" : null),
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const upload = async (): Promise<void> => {
    while (!signal.aborted) {
      counts.uploads += 1;
      const id = `upload-${counts.uploads}`;
      if ((await uploadSlowly(new URL(`/items/${id}`, project.url), agent)) === null) promised.record(id);
      else counts.failedUploads += 1;
    }
  };
  const stream = async (): Promise<void> => {
    while (!signal.aborted) {
      const problem = await streamOnce(new URL("/events", project.url), signal);
      if (signal.aborted) return;
      counts.endedStreams += 1;
      if (problem !== null) counts.cutStreams += 1;
      await delay(comeBackMs);
    }
  };
  const talk = async (): Promise<void> => {
    while (!signal.aborted) {
      const code = await talkUntilClosed(new URL("/socket", project.url), signal);
      if (signal.aborted) return;
      counts.endedSockets += 1;
      if (code !== 1012) counts.cutSockets += 1;
      await delay(comeBackMs);
    }
  };
  const others = isHttpAlone ? [] : [upload(), ...Array.from({ length: streams }, stream), ...Array.from({ length: sockets }, talk)];
  return {
    async stop() {
      stopping.abort();
      const report = await load.finished;
      await Promise.all(others);
      agent.destroy();
      return { ...toServed(report, promised, project.items()), ...counts };
    },
  };
}

function toServed(report: LoadReport, promised: IdLedger, items: readonly string[]): Omit<Served, "uploads" | "failedUploads" | "endedStreams" | "cutStreams" | "endedSockets" | "cutSockets"> {
  const { keptConnections, latencyMs, latenessMs } = report;
  return {
    requests: report.sent, failed: report.failed, failures: report.failures,
    doubled: items.length - new Set(items).size, missing: promised.compare(items).missing.length, items: items.length,
    keptConnections: keptConnections.opened, reconnects: keptConnections.lost,
    p99Ms: round(latencyMs.p99), p999Ms: round(latencyMs.p999), lateP999Ms: round(latenessMs.p999), voidBecause: report.voidBecause,
  };
}

/** Sends messages until the connection is closed; the code that it was closed with. 1006: it was lost, or never came about. */
function talkUntilClosed(url: URL, signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(new URL(url.href.replace("http:", "ws:")));
    const timer = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send("ping"), messageMs);
    const leave = (): void => socket.close();
    signal.addEventListener("abort", leave, { once: true });
    // What became of it is said by `close`.
    socket.addEventListener("error", () => {});
    socket.addEventListener("close", ({ code }) => {
      clearInterval(timer);
      signal.removeEventListener("abort", leave);
      resolve(code);
    });
  });
}
