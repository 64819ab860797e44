import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AgentWord, DrainedWord } from "@midflight/protocol";
import { freePort } from "@midflight/testkit";
import { openHolder, type HeldProcess, type Holder } from "../../src/holder/connect-holder.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const pem = fileURLToPath(new URL("../../../agent/test/support/localhost.pem", import.meta.url));

describe("TLS, whose state is in the process, under load", { timeout: 120_000 }, () => {
  const root = mkdtempSync(path.join(os.tmpdir(), "midflight-secure-"));
  const running = new Set<HeldProcess>();
  let holder: Holder;
  let port = 0;
  let portH2 = 0;
  let edition = 0;
  let now: HeldProcess;
  before(async () => {
    holder = await openHolder({ root, log: (name) => path.join(root, `${name}.log`) });
    [port, portH2] = [await freePort(), await freePort()];
    now = await launch();
  });
  after(async () => {
    for (const held of running) process.kill(held.pid, "SIGKILL");
    await Promise.all([...running].map((held) => held.exited));
    holder.close();
    assert.equal(readFileSync(path.join(root, "app.log"), "utf8"), "", "nothing went wrong in the agent");
    rmSync(root, { recursive: true, force: true });
  });

  async function launch(): Promise<HeldProcess> {
    edition += 1;
    const held = await holder.launch({
      target: "web-1", group: "web", passing: "line", file: process.execPath, directory: root, logPath: path.join(root, "app.log"),
      args: ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning", "--import", fixture("install-drain.mjs"), fixture("serve-secure.mjs")],
      env: { ...process.env, EDITION: String(edition), PORT: String(port), PORT_H2: String(portH2), PEM: pem },
    });
    running.add(held);
    void held.exited.then(() => running.delete(held));
    while (held.listening.size < 2) await held.hear((word): word is AgentWord => word.kind === "listening");
    return held;
  }

  async function replace(): Promise<DrainedWord> {
    const [old, next] = [now, await launch()];
    next.say({ kind: "accept" });
    const drained = old.hear((word): word is DrainedWord => word.kind === "drained");
    old.say({ kind: "drain", deadlineMs: 20_000, heirs: [...next.listening] }, next);
    now = next;
    const word = await drained;
    end(old);
    await old.exited;
    return word;
  }

  /** One that has nothing left to do may have ended by itself. */
  function end({ pid }: HeldProcess): void {
    try {
      process.kill(pid, "SIGTERM");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** Asks without pause while three processes take over, one from the other. */
  async function load(clients: readonly ((at: string) => Promise<string>)[]): Promise<void> {
    const stopped = new AbortController();
    const failures: string[] = [];
    const answers = new Map<string, number>();
    const all = Promise.all(clients.map(async (ask) => {
      for (let n = 0; !stopped.signal.aborted; n++) {
        const answer = await ask(n % 50 === 0 ? "/slow" : "/").catch((error: Error) => void failures.push(error.message));
        if (answer !== undefined) answers.set(answer, (answers.get(answer) ?? 0) + 1);
        await delay(5);
      }
    }));
    const first = edition;
    for (let turn = 0; turn < 3; turn++) {
      const drained = await replace();
      assert.deepEqual([drained.isSafeToStop, drained.left], [true, 0]);
    }
    stopped.abort();
    await all;
    assert.deepEqual(failures, []);
    for (let one = first; one < edition; one++) assert.ok((answers.get(String(one)) ?? 0) > 0, `${one} answered`);
  }

  test("HTTPS: no request fails over three replacements; clients connect again when an answer says so", async () => {
    const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
    await load(Array.from({ length: 8 }, () => (at: string) => askSecure(agent, port, at)));
    agent.destroy();
  });

  test("HTTP/2: no stream fails over three replacements; a client that is told to go opens another session, and asks there what was refused", async () => {
    const clients = Array.from({ length: 8 }, () => new Http2Client(portH2));
    await load(clients.map((client) => (at: string) => client.ask(at)));
    for (const client of clients) client.close();
  });
});

/**
 * One session at a time; another when the server has sent a GOAWAY. What Node's client has not sent by then it refuses itself,
 * with REFUSED_STREAM: nothing of it was carried out, and it is sent again, once (RFC 9113 §8.7).
 */
class Http2Client {
  readonly #port: number;
  #session: http2.ClientHttp2Session | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  async ask(at: string): Promise<string> {
    try {
      return await this.#askOnce(at);
    } catch (error) {
      if (!(error as Error).message.includes("NGHTTP2_REFUSED_STREAM")) throw error;
      return await this.#askOnce(at);
    }
  }

  #askOnce(at: string): Promise<string> {
    if (this.#session === null || this.#session.closed || this.#session.destroyed) this.#session = http2.connect(`https://127.0.0.1:${this.#port}`, { rejectUnauthorized: false });
    const session = this.#session;
    return new Promise((resolve, reject) => {
      session.once("error", reject);
      let text = "";
      const stream = session.request({ ":path": at });
      stream.setEncoding("utf8").on("data", (part: string) => (text += part)).once("error", reject);
      stream.once("end", () => {
        session.off("error", reject);
        resolve(text);
      });
    });
  }

  close(): void {
    this.#session?.close();
  }
}

function askSecure(agent: https.Agent, port: number, at: string): Promise<string> {
  return new Promise((resolve, reject) => {
    https.get({ host: "127.0.0.1", port, path: at, agent, rejectUnauthorized: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part)).once("end", () => resolve(text)).once("error", reject);
    }).once("error", reject);
  });
}
