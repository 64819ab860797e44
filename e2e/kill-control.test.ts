import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { isAlive, makeProject, type Project, type Up } from "../packages/midflight/test/support/project.ts";
import { ended } from "./kill/kill-rig.ts";

const hook = new URL("./kill/die-at-step.mjs", import.meta.url).href;

describe("kill -9 of control before every step that leaves something behind", () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-kill-control-"));
  const orders = path.join(directory, "orders");
  const desks: Desk[] = [];
  after(async () => {
    for (const desk of desks) await desk.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** A project whose control dies where it is told. */
  class Desk {
    readonly project: Project = makeProject({ nodeArgs: ["--import", hook], env: { E2E_KILL_ORDERS: orders } });
    up: Up | null = null;
    #total = 0;

    /** Code that only a new process can run. */
    edit(): void {
      this.#total += 1000;
      const text = this.project.read("src/server.js").replace(/(new Counter\(\);\n)(counter\.total = \d+;\n)?/, `$1counter.total = ${this.#total};\n`);
      this.project.write("src/server.js", text);
    }

    async start(): Promise<void> {
      this.up = await this.project.up();
    }

    /** Everything runs the code on disk, once. */
    async expectWhole(where: string): Promise<number> {
      if (this.up?.process.isAlive !== true) await this.start();
      const deployed = await this.project.run("deploy", "--json", "--max-rung", "replace");
      assert.equal(deployed.code, 0, `${where}: ${deployed.stdout}`);
      const status = await this.#untilHealthy(where);
      const { total, pid } = await this.up!.ask();
      assert.ok(total > this.#total && total < this.#total + 1000, `${where}: it answers ${total}, not from ${this.#total} on`);
      assert.deepEqual(this.#processes(), [pid], `${where}: one process, not two`);
      const numbers = ((await this.project.run("releases", "--json")).json["releases"] as { release: string }[]).map(({ release }) => release);
      assert.equal(new Set(numbers).size, numbers.length, `${where}: ${JSON.stringify(status)}`);
      return pid;
    }

    async #untilHealthy(where: string): Promise<unknown> {
      for (const deadline = performance.now() + 60_000; ; ) {
        const { json } = await this.project.run("status", "--json");
        if (json["health"] === "healthy") return json;
        assert.ok(performance.now() < deadline, `${where}: ${JSON.stringify(json)}`);
      }
    }

    /** Processes that run in a release's directory. */
    #processes(): number[] {
      const releases = path.join(this.project.directory, ".midflight/releases/");
      return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
        try {
          return isAlive(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(releases);
        } catch {
          return false;
        }
      });
    }

    async close(): Promise<void> {
      if (this.up?.process.isAlive === true) await this.up.process.stop();
      this.project.remove();
    }
  }

  function open(): Desk {
    const desk = new Desk();
    desks.push(desk);
    return desk;
  }

  /** Does the same again and again; each time control dies before a step that it got over before. Answers these, once it dies no more. */
  async function dieAtEach(act: () => Promise<Desk>, check: (desk: Desk, where: string) => Promise<unknown> = (desk, where) => desk.expectWhole(where)): Promise<string[]> {
    for (const places: string[] = []; ; ) {
      writeFileSync(orders, places.join("\n"));
      const desk = await act();
      const hasDied = !existsSync(orders);
      rmSync(orders, { force: true });
      const place = hasDied ? readFileSync(`${orders}.done`, "utf8") : "";
      await check(desk, hasDied ? `killed before ${place}` : "not killed");
      if (!hasDied) return places;
      places.push(place);
    }
  }

  /** Starts control, which may die on its way up. */
  async function startDying(desk: Desk): Promise<void> {
    await desk.start().catch((error: unknown) => assert.match(String(error), /ended first \(SIGKILL\)/));
  }

  test("while it replaces a process: what was deployed goes live, in one process", async (t) => {
    const desk = open();
    await desk.start();
    desk.edit();
    await desk.expectWhole("before");
    const places = await dieAtEach(async () => {
      desk.edit();
      const deploying = await desk.project.start("deploy", "--json", "--max-rung", "replace");
      await Promise.race([desk.up!.process.exited, deploying.exited]);
      if (!desk.up!.process.isAlive) await desk.start();
      await ended(deploying);
      return desk;
    });
    t.diagnostic(places.join(", "));
    for (const step of ["commit", "rename processes.json", "signal SIGTERM"]) assert.ok(places.includes(step), `${step} in ${places.join(", ")}`);
  });

  test("while it takes over what runs: the process goes on, and is taken over by the next", async (t) => {
    const desk = open();
    await desk.start();
    desk.edit();
    const before = await desk.expectWhole("before");
    const startedAnew: string[] = [];
    const check = async (_: Desk, where: string): Promise<void> => {
      if ((await desk.expectWhole(where)) !== before) startedAnew.push(where);
    };
    const places = await dieAtEach(async () => {
      await desk.up!.process.kill();
      await startDying(desk);
      return desk;
    }, check);
    t.diagnostic(places.join(", "));
    assert.ok(places.includes("rename control.json"), places.join(", "));
    assert.deepEqual(startedAnew, []);
  });
});
