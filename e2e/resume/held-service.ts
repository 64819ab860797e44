import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentWord, DrainedWord } from "@midflight/protocol";
import { freePort } from "@midflight/testkit";
import { openHolder, type HeldProcess } from "../../packages/supervisor/src/holder/connect-holder.ts";

export interface HeldService {
  readonly port: number;
  readonly now: HeldProcess;
  /** Another process takes over; what became of the one before. */
  replace(): Promise<DrainedWord>;
  /** One that takes the sockets of a process that has died. */
  revive(): Promise<void>;
  /** By resume id: what the processes have done, in order. */
  ledgers(): ReadonlyMap<string, readonly LedgerLine[]>;
  close(): Promise<string>;
}

export interface LedgerLine {
  readonly n: number;
  readonly edition: string;
  readonly data: string;
}

const fixture = (from: string): string => fileURLToPath(new URL(from, import.meta.url));

/** `ledger-server.mjs` in a process of a holder, with what the agent does for a drain. */
export async function startHeldService(): Promise<HeldService> {
  const root = mkdtempSync(path.join(os.tmpdir(), "midflight-resume-"));
  const ledger = path.join(root, "ledger");
  mkdirSync(ledger);
  const holder = await openHolder({ root, log: (name) => path.join(root, `${name}.log`) });
  const port = await freePort();
  const epoch = String(Date.now());
  const running = new Set<HeldProcess>();
  let edition = 0;

  async function launch(): Promise<HeldProcess> {
    edition += 1;
    const held = await holder.launch({
      target: "web-1", file: process.execPath, directory: root, logPath: path.join(root, "app.log"), group: "web", passing: "line",
      args: [
        "--conditions=@midflight/source", "--disable-warning=ExperimentalWarning",
        "--import", fixture("../../packages/supervisor/test/fixtures/install-drain.mjs"), fixture("fixtures/ledger-server.mjs"),
      ],
      env: { ...process.env, EDITION: String(edition), PORT: String(port), LEDGER: ledger, EPOCH: epoch },
    });
    running.add(held);
    void held.exited.then(() => running.delete(held));
    while (held.listening.size < 1) await held.hear((word): word is AgentWord => word.kind === "listening");
    return held;
  }

  let now = await launch();
  return {
    port,
    get now() {
      return now;
    },
    async replace() {
      const [old, next] = [now, await launch()];
      next.say({ kind: "accept" });
      const drained = old.hear((word): word is DrainedWord => word.kind === "drained");
      old.say({ kind: "drain", deadlineMs: 60_000, heirs: [...next.listening] }, next);
      now = next;
      const word = await drained;
      end(old, "SIGTERM");
      await old.exited;
      return word;
    },
    async revive() {
      await now.exited;
      now = await launch();
      now.say({ kind: "accept" });
    },
    ledgers: () => new Map(readdirSync(ledger).map((id) => [id, readFileSync(path.join(ledger, id), "utf8").trimEnd().split("\n").map(parseLine)])),
    async close() {
      const ends = [...running].map((held) => held.exited);
      for (const held of running) end(held, "SIGKILL");
      await Promise.all(ends);
      holder.close();
      const log = readFileSync(path.join(root, "app.log"), "utf8");
      rmSync(root, { recursive: true, force: true });
      return log;
    },
  };
}

function parseLine(line: string): LedgerLine {
  const [n = "", edition = "", ...data] = line.split(" ");
  return { n: Number(n), edition, data: data.join(" ") };
}

/** A process that has nothing left to do may have ended by itself. */
function end({ pid }: HeldProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
