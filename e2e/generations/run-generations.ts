import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import path from "node:path";
import type { ReleaseId, Report } from "@midflight/protocol";
import { type AppProcess, createRandom, type Published, startedTicks, startSystem, type System } from "@midflight/testkit";
import { type AppState, editNumber, filesOf, firstState, Oracle } from "./many-edits.ts";

export interface GenerationsOptions {
  /** Absolute path of a Node binary. */
  readonly node: string;
  readonly updates: number;
  /** After every so many updates the process is compared with cold starts. */
  readonly checkEvery: number;
  /** After every so many updates the heap is measured, after a full collection. */
  readonly weighEvery: number;
  readonly say?: (line: string) => void;
}

export interface Update {
  readonly number: number;
  readonly kind: "deploy" | "skip" | "back" | "forward";
  readonly rung: string;
  /** From before the plan until the report has come, ms. */
  readonly tookMs: number;
  readonly pauseMs: number;
}

export interface GenerationsResult {
  readonly updates: readonly Update[];
  /** Heap in use of the process, in bytes, by update. */
  readonly heapBytes: ReadonlyMap<number, number>;
  readonly checks: number;
  /** How many swaps the process made: what was skipped is no swap. */
  readonly swaps: number;
}

interface Known {
  readonly release: ReleaseId;
  readonly number: number;
  readonly state: AppState;
}

/**
 * Updates one process again and again: releases of every rung that needs no new process, some of them skipped, back to
 * older ones and forward again. Throws an AssertionError where an answer, a state or a digest is not what it must be.
 */
export async function runGenerations(options: GenerationsOptions): Promise<GenerationsResult> {
  const system = await startSystem({ app: "many", files: filesOf(firstState), code: ["src"], run: "node --expose-gc src/server.js", ready: /^port (\d+)$/ });
  try {
    return await new Generations(system, options).run();
  } finally {
    await system.close();
  }
}

class Generations {
  readonly #system: System;
  readonly #options: GenerationsOptions;
  readonly #oracle = new Oracle();
  readonly #random = createRandom(7);
  readonly #known: Known[] = [];
  readonly #heapBytes = new Map<number, number>();
  readonly #updates: Update[] = [];
  #edits = 0;
  #live!: Known;

  constructor(system: System, options: GenerationsOptions) {
    this.#system = system;
    this.#options = options;
  }

  async run(): Promise<GenerationsResult> {
    const { updates, checkEvery, weighEvery, say } = this.#options;
    const boot = await this.#system.publish();
    this.#remember(boot, firstState);
    const app = await this.#start("web-1", boot.release);
    await this.#system.beat("the agent follows", (beat) => beat.pid === app.pid && beat.state === "following");
    let checks = 0;
    let swaps = 0;
    try {
      await this.#ask(app);
      for (let n = 1; n <= updates; n++) {
        const report = await this.#update(n);
        assert.equal(report.outcome.kind, "swapped");
        swaps = report.outcome.kind === "swapped" ? report.outcome.generation : swaps;
        await this.#ask(app);
        if (n % weighEvery === 0) this.#heapBytes.set(n, await heapOf(app));
        if (n % checkEvery !== 0) continue;
        await this.#compareWithColdStarts(boot.release, app);
        checks += 1;
        say?.(`${n} updates, ${swaps} swaps`);
      }
      assert.equal(startedTicks(app.pid), app.startedTicks, "the process is the one that was started");
      assert.deepEqual(app.stderr.lines, []);
      return { updates: this.#updates, heapBytes: this.#heapBytes, checks, swaps };
    } finally {
      await app.killGroup();
    }
  }

  #start(target: string, release: ReleaseId, isManaged = true): Promise<AppProcess> {
    return this.#system.start({ target, release, node: this.#options.node, probationMs: 0, isManaged });
  }

  #remember({ release, number }: Pick<Published, "release" | "number">, state: AppState): void {
    this.#live = { release, number, state };
    if (!this.#known.some((one) => one.number === number)) this.#known.push(this.#live);
  }

  /** Most are deploys; of ten one is skipped by the process, one leads back, one forward again to any release there was. */
  async #update(n: number): Promise<Report> {
    const startedMs = performance.now();
    const kind = n % 10 === 4 ? "skip" : n % 10 === 7 ? "back" : n % 10 === 9 ? "forward" : "deploy";
    if (kind === "skip") await this.#deploy();
    const published = kind === "back" ? await this.#goBack() : kind === "forward" ? await this.#goForward() : await this.#deploy();
    const report = await this.#system.swapped(published);
    const tookMs = performance.now() - startedMs;
    this.#updates.push({ number: n, kind, rung: published.rung, tookMs, pauseMs: report.outcome.kind === "swapped" ? report.outcome.pauseMs : Number.NaN });
    return report;
  }

  async #deploy(): Promise<Published> {
    let { state } = this.#live;
    while (this.#known.some((one) => sameCode(one.state, state))) state = editNumber(this.#edits++, state, this.#random);
    this.#write(state);
    const published = await this.#system.publish();
    this.#remember(published, state);
    return published;
  }

  async #goBack(): Promise<Published> {
    const published = await this.#system.rollback();
    this.#remember(published, this.#known.find(({ number }) => number === published.number)!.state);
    return published;
  }

  async #goForward(): Promise<Published> {
    const others = this.#known.filter(({ number }) => number !== this.#live.number);
    const to = others[Math.floor(this.#random() * others.length)]!;
    const outcome = await this.#system.publisher.assign(to.release);
    assert(outcome.kind === "published", JSON.stringify(outcome));
    this.#remember(to, to.state);
    return outcome;
  }

  #write(state: AppState): void {
    const files = filesOf(state);
    if (files["src/bonus.js"] === undefined) rmSync(path.join(this.#system.projectDir, "src/bonus.js"), { force: true });
    this.#system.write(files);
  }

  /** What it answers, with all that it remembers, is what was foretold. */
  async #ask(app: AppProcess): Promise<void> {
    assert.deepEqual(await answerOf(app), this.#oracle.next(this.#live.state), `after r${this.#live.number}`);
  }

  /** A process from the boot release's directory, and one from the live one's without an agent, both just started. */
  async #compareWithColdStarts(boot: ReleaseId, app: AppProcess): Promise<void> {
    const [fromBoot, fromLive] = [await this.#start("web-2", boot), await this.#start("web-3", this.#live.release, false)];
    try {
      const expected = new Oracle().next(this.#live.state);
      // What imports a module that the boot release did not have can go live only once the app has loaded.
      await this.#system.beat("the cold start follows", (beat) => beat.pid === fromBoot.pid && beat.state === "following" && beat.live === this.#live.release);
      assert.deepEqual(await answerOf(fromBoot), expected, "a cold start from the boot release's directory");
      assert.deepEqual(await answerOf(fromLive), expected, "a cold start from the live release's directory");
      // Once both swap, what is read back has the same digest in the process that has seen all and in the one that has seen nothing.
      const published = await this.#deploy();
      const [veteran, fresh] = await Promise.all(["web-1", "web-2"].map((target) => this.#system.swapped(published, target)));
      assert(veteran?.outcome.kind === "swapped" && fresh?.outcome.kind === "swapped");
      assert.equal(veteran.outcome.live, fresh.outcome.live, "digests that were read back");
      await this.#ask(app);
    } finally {
      await Promise.all([fromBoot.killGroup(), fromLive.killGroup()]);
    }
  }
}

function sameCode(a: AppState, b: AppState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function answerOf({ url }: AppProcess): Promise<unknown> {
  return (await fetch(url, { headers: { connection: "close" } })).json();
}

async function heapOf({ url }: AppProcess): Promise<number> {
  const { heapUsed } = (await (await fetch(new URL("/heap", url), { headers: { connection: "close" } })).json()) as { heapUsed: number };
  return heapUsed;
}
