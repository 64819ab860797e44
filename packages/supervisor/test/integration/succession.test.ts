import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AgentWord, DrainedWord } from "@midflight/protocol";
import { openHolder, type HeldProcess, type Holder } from "../../src/holder/connect-holder.ts";
import { holderAddress } from "../../src/holder/holder-address.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

describe("a holder of another edition", { timeout: 300_000 }, () => {
  let root: string;
  let port: number;
  let portH2: number;
  let edition: number;
  let holders: Holder[];
  let pids: Set<number>;
  beforeEach(async () => {
    root = mkdtempSync(path.join(os.tmpdir(), "midflight-succession-"));
    [port, portH2] = await findPorts();
    edition = 0;
    holders = [];
    pids = new Set();
  });
  afterEach(async () => {
    for (const pid of [...pids, ...holderPids()]) kill(pid);
    for (const holder of holders) holder.close();
    while (holderPids().length > 0) await delay(20);
    rmSync(root, { recursive: true, force: true });
  });

  async function open(of: string): Promise<Holder> {
    const holder = await openHolder({ root, log: (name) => path.join(root, `${name}.log`) }, of);
    holders.push(holder);
    return holder;
  }

  async function launch(holder: Holder): Promise<HeldProcess> {
    edition += 1;
    const held = await holder.launch({
      target: "web-1", group: "web", passing: "line", file: process.execPath, directory: root, logPath: path.join(root, "app.log"),
      args: ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning", "--import", fixture("install-drain.mjs"), fixture("serve.mjs")],
      env: { ...process.env, EDITION: String(edition), PORT: String(port), PORT_H2: String(portH2) },
    });
    pids.add(held.pid);
    const ended = held.exited.then(() => assert.fail(readFileSync(path.join(root, "app.log"), "utf8")));
    ended.catch(() => undefined);
    while (held.listening.size < 2) await Promise.race([held.hear((word): word is AgentWord => word.kind === "listening"), ended]);
    return held;
  }

  async function replace(holder: Holder, old: HeldProcess): Promise<{ next: HeldProcess; drained: DrainedWord }> {
    const next = await launch(holder);
    next.say({ kind: "accept" });
    const drained = old.hear((word): word is DrainedWord => word.kind === "drained");
    old.say({ kind: "drain", deadlineMs: 20_000, heirs: [...next.listening] }, next);
    const word = await drained;
    kill(old.pid, "SIGTERM");
    await old.exited;
    return { next, drained: word };
  }

  /** By their command line (proc(5)); the first one's number is the lowest. */
  function holderPids(): number[] {
    const address = holderAddress(root);
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && commandOf(name).includes(address)).map(Number).sort((a, b) => startOf(a) - startOf(b));
  }

  test("takes over with no connection lost: processes, exit codes, hand-overs go on; the one before ends with its last process", async () => {
    const first = await open("1");
    const old = await launch(first);
    old.say({ kind: "accept" });
    const client = new OneConnection();
    assert.equal(await ask(client, port), "1");
    const second = await open("2");
    assert.equal(holderPids().length, 2, "the parent of what runs stays");
    const found = second.find(old.pid)!;
    assert.deepEqual([...found.listening].sort(), [`127.0.0.1:${port}`, `127.0.0.1:${portH2}`].toSorted());
    assert.deepEqual(second.sockets("web-1").toSorted(), [...found.listening].sort());
    assert.equal(await ask(client, port), "1");
    assert.deepEqual(await found.probe({ socket: `127.0.0.1:${port}`, path: "/", isSecure: false, timeoutMs: 5000 }), { status: 200, body: "1" });

    const { next, drained } = await replace(second, found);
    assert.deepEqual([drained.isSafeToStop, drained.left], [true, 0]);
    assert.ok(drained.handedOver >= 1);
    assert.equal(await ask(client, port), "2");
    assert.equal(client.opened, 1, "over two processes that hold, and two that serve");
    while (holderPids().length > 1) await delay(20);
    const third = await open("3");
    const last = third.find(next.pid)!;
    kill(last.pid, "SIGKILL");
    assert.deepEqual(await last.exited, { code: null, signal: "SIGKILL" });
    client.destroy();
  });

  test("is not asked for one of the same edition", async () => {
    await open("1");
    const [pid] = holderPids();
    await open("1");
    assert.deepEqual(holderPids(), [pid]);
  });

  test("that is killed after it took over leaves the one before in its place, with its sockets and processes", async () => {
    const old = await launch(await open("1"));
    old.say({ kind: "accept" });
    const client = new OneConnection();
    assert.equal(await ask(client, port), "1");
    await open("2");
    const [first, second] = holderPids() as [number, number];
    kill(second);
    const again = await until(() => open("1"), (holder) => holder.find(old.pid) !== null);
    await until(async () => holderPids(), (left) => left.length === 1 && left[0] === first);
    assert.equal(await ask(client, port), "1");
    const { drained } = await replace(again, again.find(old.pid)!);
    assert.equal(drained.isSafeToStop, true);
    assert.equal(await ask(client, port), "2");
    assert.equal(client.opened, 1);
    client.destroy();
  });

  test("keeps the sockets if the one before is killed; of its processes is told that they are lost, and the next one serves on the same", async () => {
    const old = await launch(await open("1"));
    old.say({ kind: "accept" });
    assert.equal(await ask(undefined, port), "1");
    const second = await open("2");
    const found = second.find(old.pid)!;
    kill(holderPids()[0]!);
    await found.lost;
    assert.equal(await ask(undefined, port), "1", "it serves on");
    const next = await launch(second);
    next.say({ kind: "accept" });
    kill(old.pid);
    assert.equal(await ask(undefined, port), "2");
  });

  for (const victim of ["the one before", "the successor"] as const) {
    test(`${victim} is killed at any moment of the succession: nobody who connects is refused, and a holder is there after it`, async () => {
      for (let turn = 0; turn < 8; turn++) {
        [port, portH2] = await findPorts();
        edition = 0;
        const first = await open("1");
        const old = await launch(first);
        old.say({ kind: "accept" });
        const client = new OneConnection();
        const failures: unknown[] = [];
        const stopped = new AbortController();
        const customers = (async () => {
          while (!stopped.signal.aborted) for (const one of [client, undefined]) await ask(one, port).catch((error: unknown) => failures.push(error));
        })();
        const [pid] = holderPids() as [number];
        const opening = open("2").catch(() => null);
        const killing = (async () => {
          const successor = await until(async () => holderPids()[1], (found) => found !== undefined);
          // From before it listens until after it has taken over.
          await delay(turn * 40);
          kill(victim === "the successor" ? successor! : pid);
        })();
        await killing;
        await opening;
        const after = await open("2");
        assert.equal(after.isThere, true);
        stopped.abort();
        await customers;
        assert.deepEqual(failures, [], `turn ${turn}`);
        assert.equal(await ask(client, port), "1", "what served serves on, on the same connection");
        assert.equal(client.opened, 1);
        client.destroy();
        kill(old.pid);
        for (const left of holderPids()) kill(left);
        while (holderPids().length > 0) await delay(20);
      }
    });
  }
});

function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

/** proc(5): the 22nd field. */
function startOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]) * 1e7 + pid;
  } catch {
    return 0;
  }
}

async function until<T>(look: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (const deadline = performance.now() + 30_000; ; await delay(5)) {
    const value = await look();
    if (fits(value)) return value;
    assert.ok(performance.now() < deadline, "it did not come to that");
  }
}

class OneConnection extends Agent {
  opened = 0;

  constructor() {
    super({ keepAlive: true, maxSockets: 1 });
    const create = this.createConnection.bind(this);
    this.createConnection = (...args) => {
      this.opened += 1;
      return create(...args);
    };
  }
}

function ask(agent: Agent | undefined, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, path: "/", agent: agent ?? false, timeout: 20_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part)).once("end", () => resolve(text)).once("error", reject);
    }).once("error", reject);
  });
}

/** Two that nobody uses, and that are not the same. */
async function findPorts(): Promise<[number, number]> {
  const servers = [net.createServer(), net.createServer()];
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as [number, number];
}
