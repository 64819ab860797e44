import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { makeProject, type Project, type Up } from "../../packages/midflight/test/support/project.ts";
import { ended } from "./kill-rig.ts";

const hook = new URL("./die-at-step.mjs", import.meta.url).href;
/** Steps without a rollout are gone through by kill-control.test.ts. */
const onlyInRollout = "only in a rollout";
export const fleet: readonly string[] = ["web-1", "web-2", "web-3"];

export interface Member {
  readonly target: string;
  readonly release: string;
  readonly pid: number;
  readonly url: string | null;
  readonly standing: string;
}

export interface Status {
  readonly health: string;
  readonly live: { readonly release: string } | null;
  readonly rollout: { readonly phase: string; readonly release: string; readonly because: string | null } | null;
  readonly services: readonly { readonly members: readonly Member[] }[];
}

/** A project of some processes whose control dies where it is told. */
export class RolloutDesk {
  readonly project: Project;
  up: Up | null = null;
  #version = 0;

  /** @param orders names the steps that control gets over; see die-at-step.mjs. @param files in place of those of the small project */
  constructor(rollout: string, orders: string, files: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}) {
    this.project = makeProject({
      nodeArgs: ["--import", hook],
      env: { E2E_KILL_ORDERS: orders, ...env },
      files: {
        "midflight.config.mjs": `export default {
  app: "demo",
  services: { web: { run: "node src/server.js", code: "src", health: "/readyz", env: { PORT: "0" }, processes: ${fleet.length} } },
  rollout: ${rollout},
};
`,
        ...files,
      },
    });
  }

  get says(): string {
    return `version ${this.#version}`;
  }

  /** Code that goes live in the processes that run. */
  edit(): void {
    this.#version += 1;
    this.project.write("src/greeting.js", `export function greet() {\n  return "${this.says}";\n}\n`);
  }

  async start(): Promise<void> {
    if (this.up?.process.isAlive !== true) this.up = await this.project.up();
  }

  /** How many releases the log has. */
  async releases(): Promise<number> {
    return ((await this.project.run("releases", "--json")).json["releases"] as unknown[]).length;
  }

  /** ISO 8601: when the newest assign for all was signed. */
  async lastAssignedAt(): Promise<string> {
    return (await this.project.run("status", "--json")).json["since"] as string;
  }

  async status(): Promise<Status> {
    const { json, code, stdout, stderr } = await this.project.run("status", "--json");
    assert.equal(code, 0, stdout + stderr);
    return json as unknown as Status;
  }

  /** What control has written down of the newest rollout, read past all commands. */
  record(): { readonly number: number; readonly phase: string; readonly step: number; readonly wave: readonly string[] } | null {
    try {
      return JSON.parse(this.project.read(".midflight/state/rollout.json")) as never;
    } catch {
      return null;
    }
  }

  /** The rollout comes to its end by itself, and then all processes run one release. */
  async untilOne(where: string): Promise<Status> {
    for (const deadline = performance.now() + 120_000; ; ) {
      // A command costs more than a look.
      for (; !this.isOver() && performance.now() < deadline; ) await delay(20);
      const status = await this.status();
      const members = status.services.flatMap((service) => service.members);
      if (this.isOver() && status.health === "healthy") {
        assert.deepEqual(members.map(({ target }) => target).sort(), fleet, where);
        assert.deepEqual([...new Set(members.map(({ release }) => release))], [status.live!.release], `${where}: ${JSON.stringify(members)}`);
        return status;
      }
      assert.ok(performance.now() < deadline, `${where}: ${JSON.stringify(status)}`);
    }
  }

  isOver(): boolean {
    return ["done", "rolled-back", "overtaken"].includes(this.record()?.phase ?? "done");
  }

  /** What the processes say; each is asked over a connection of its own. */
  async expectSays(status: Status, says: string, where: string): Promise<void> {
    for (const { target, url } of status.services.flatMap((service) => service.members)) {
      const answer = (await (await fetch(url!, { headers: { connection: "close" } })).json()) as { says: string };
      assert.equal(answer.says, says, `${where}: ${target}`);
    }
  }

  async close(): Promise<void> {
    if (this.up?.process.isAlive === true) await this.up.process.stop();
    this.project.remove();
  }
}

/** Deploys again and again; each time control dies before a step that it got over before, and another one goes on. */
export async function dieAtEach(desk: RolloutDesk, orders: string, deploy: () => void, check: (status: Status, where: string) => Promise<void>): Promise<string[]> {
  for (const places: string[] = []; ; ) {
    deploy();
    writeFileSync(orders, [onlyInRollout, ...places].join("\n"));
    const deploying = await desk.project.start("deploy", "--json", "--max-rung", "replace");
    await Promise.race([desk.up!.process.exited, deploying.exited]);
    const hasDied = !existsSync(orders);
    rmSync(orders, { force: true });
    const place = hasDied ? readFileSync(`${orders}.done`, "utf8") : "";
    const where = hasDied ? `killed before ${place}` : "not killed";
    await desk.start();
    await ended(deploying);
    await check(await desk.untilOne(where), where);
    if (!hasDied) return places;
    places.push(place);
  }
}
