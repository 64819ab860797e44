import { EventEmitter, once } from "node:events";
import { Agent, get, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { type LoadReport, type LoadRun, startLoad } from "@midflight/testkit";

export interface ClientsReport {
  readonly load: LoadReport;
  readonly uploads: number;
  readonly streams: number;
  /** Everything that a client could not have. Empty: nothing failed. */
  readonly faults: readonly string[];
}

/** Customers of one shop: kept and new connections on a fixed schedule, uploads that take a while, and an event stream that is opened again. */
export interface ShopClients {
  /** Settles when so many event streams have ended: a process that is replaced ends its own while it drains, after the next one serves. */
  streamsEnded(count: number): Promise<void>;
  stop(): Promise<ClientsReport>;
}

const uploadParts = 6;
const partMs = 100;

export function startClients(target: URL, ratePerSecond: number): ShopClients {
  const stopped = new AbortController();
  const faults: string[] = [];
  const load: LoadRun = startLoad({
    target, ratePerSecond, connections: "mixed", until: stopped.signal,
    // The machine starts processes meanwhile; what is slow is not what is asked here.
    timeoutMs: 10_000, maxLatenessMs: 5000,
    plan: (i) => (i % 5 === 2 ? { path: `/api/cart/load-${i}/items`, method: "POST", status: 201, body: { sku: "mug", quantity: 1 } } : { path: i % 3 === 0 ? "/" : "/api/products" }),
    validate: (response, _i, spec) => (spec.path === "/" ? (response.text().includes("</html>") ? null : "the front page is cut short") : typeof response.json() === "object" ? null : "no JSON"),
  });
  let uploads = 0;
  let streams = 0;
  const ended = new EventEmitter();
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const upload = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const problem = await uploadSlowly(new URL(`/api/cart/upload-${uploads}/items`, target), agent);
      uploads += 1;
      if (problem !== null) faults.push(`upload ${uploads}: ${problem}`);
    }
  };
  const stream = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const problem = await streamOnce(new URL("/api/stock/stream", target), stopped.signal);
      streams += 1;
      ended.emit("stream");
      if (problem !== null) faults.push(`stream ${streams}: ${problem}`);
      await delay(50);
    }
  };
  const running = Promise.all([upload(), stream()]);
  return {
    streamsEnded: async (count) => {
      const signal = AbortSignal.timeout(60_000);
      for (let more = count - streams; more > 0; more = count - streams) await once(ended, "stream", { signal });
    },
    stop: async () => {
      stopped.abort();
      await running;
      agent.destroy();
      const report = await load.finished;
      faults.push(...report.firstFailures.map((failure) => `${failure.kind}: ${failure.request}: ${failure.message}`));
      if (report.voidBecause !== null) faults.push(`void: ${report.voidBecause}`);
      return { load: report, uploads, streams, faults };
    },
  };
}

/** One request whose body takes a while. */
export function uploadSlowly(url: URL, agent: Agent): Promise<string | null> {
  const body = JSON.stringify({ sku: "mug", quantity: 1, gift: false });
  return new Promise((resolve) => {
    const outgoing = request(url, { method: "POST", agent, headers: { "content-type": "application/json", "content-length": body.length } }, (incoming) => {
      incoming.resume();
      incoming.once("error", (error) => resolve(error.message));
      incoming.once("end", () => resolve(incoming.statusCode === 201 ? null : `status ${incoming.statusCode}`));
    });
    outgoing.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    const send = async (): Promise<void> => {
      const size = Math.ceil(body.length / uploadParts);
      for (let at = 0; at < body.length; at += size) {
        outgoing.write(body.slice(at, at + size));
        await delay(partMs);
      }
      outgoing.end();
    };
    void send();
  });
}

/** A stream may end when its process does: whole, and with the time after which to come again. */
export function streamOnce(url: URL, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const outgoing = get(url, { agent: false, headers: { accept: "text/event-stream" } }, (incoming) => {
      let tail = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (text: string) => (tail = (tail + text).slice(-200)));
      incoming.once("error", (error: NodeJS.ErrnoException) => resolve(signal.aborted ? null : (error.code ?? error.message)));
      incoming.once("end", () => resolve(/(^|\n)retry: \d+\n$/.test(tail) ? null : `it ended with ${JSON.stringify(tail)}`));
    });
    outgoing.once("error", (error: NodeJS.ErrnoException) => resolve(signal.aborted ? null : (error.code ?? error.message)));
    if (signal.aborted) outgoing.destroy();
    else signal.addEventListener("abort", () => outgoing.destroy(), { once: true });
  });
}
