import { type LoadReport, type Published, type RequestSpec, startedTicks, startLoad, startSystem, type System } from "@midflight/testkit";
import { nodeBinary } from "../../scripts/node-versions.mjs";
import { EditionWatch } from "./edition-watch.ts";
import { jsonServerApp } from "./json-server-app.ts";
import type { LiveApp } from "./live-app.ts";
import { Tally } from "./tally.ts";
import { shopApp } from "./shop-app.ts";

export interface LiveOptions {
  /** A major version of Node: 20, 22, 24 or 26. */
  readonly node: number;
  /** At least this many are sent. */
  readonly requests: number;
  readonly swaps: number;
  readonly app: "shop" | "json-server";
  /** At most; less where the machine cannot answer twice as many. Default: 500; 250 for json-server, which writes a file for each change. */
  readonly ratePerSecond?: number;
}

export interface LiveResult {
  readonly node: number;
  readonly app: string;
  readonly swaps: { readonly patch: number; readonly redefine: number; readonly rollback: number };
  readonly load: LoadReport;
  /** Longest block of the event loop that each swap's report tells, in ms. */
  readonly pausesMs: readonly number[];
  readonly figures: Readonly<Record<string, number>>;
  /** Everything that did not hold, as sentences. Empty: all of it held. */
  readonly faults: readonly string[];
}

const targets = ["web-1", "web-2"];
/** So many wrong answers end a run: the rest would say the same. */
const mostWrong = 20;
/** So many are answered between two swaps, however short the run. */
const leastBetween = 50;

/**
 * Runs an app under an open-loop load on one target, with an idle sibling beside it on another Node, and swaps its code
 * again and again: forward over patches and redefinitions, back, and with a refused edit in between.
 */
export async function runLive(options: LiveOptions): Promise<LiveResult> {
  return await runLiveApp(options.app === "shop" ? shopApp(options.node === 20) : jsonServerApp(), options);
}

/** The same for any app. */
export async function runLiveApp(app: LiveApp, options: LiveOptions): Promise<LiveResult> {
  const system = await startSystem(app.system);
  try {
    await app.prepare(system.projectDir);
    return await runIn(system, app, options);
  } finally {
    await system.close();
  }
}

async function runIn(system: System, app: LiveApp, { node, requests, swaps, app: name, ratePerSecond = name === "shop" ? 500 : 250 }: LiveOptions): Promise<LiveResult> {
  const first = app.editions[0]!;
  await first.write(system.projectDir);
  const boot = await system.publish();
  const start = async (target: string, major: number): Promise<Awaited<ReturnType<System["start"]>>> => {
    const started = await system.start({ target, node: nodeBinary(major), probationMs: 1000, ...(await app.startOptions(system, target)) });
    await system.beat(`${target} follows`, (beat) => beat.pid === started.pid && beat.state === "following");
    return started;
  };
  const main = await start("web-1", node);
  const sibling = await start("web-2", node === 26 ? 22 : node + 2);
  try {
    const customers = await app.visit(main);
    const watch = new EditionWatch(first.name);
    const answered = new Tally(mostWrong);
    const marks = new WeakMap<RequestSpec, number>();
    const marked = (spec: RequestSpec): RequestSpec => {
      const { next } = spec;
      const own: RequestSpec = next === undefined ? spec : { ...spec, next: (response) => markedOrNull(next(response)) };
      marks.set(own, watch.mark());
      return own;
    };
    const markedOrNull = (spec: RequestSpec | null): RequestSpec | null => (spec === null ? null : marked(spec));
    const stop = new AbortController();
    const load = startLoad({
      target: main.url,
      ratePerSecond: Math.min(ratePerSecond, (await answersPerSecond(() => app.editionOf(main))) / 2),
      until: stop.signal,
      connections: "mixed",
      // Planning, signing and the registry run in this process too, and no time is measured here but the time-out.
      maxLatenessMs: 5000,
      plan: (i) => marked(customers.plan(i)),
      validate(response, i, spec) {
        const problem = customers.validate(response, i, spec, watch.since(marks.get(spec) ?? 0));
        answered.count(problem === null);
        return problem;
      },
    });

    const faults: string[] = [];
    const count = { patch: 0, redefine: 0, rollback: 0 };
    const pausesMs: number[] = [];
    const settle = async (published: Published): Promise<void> => {
      const reports = await Promise.all(targets.map((target) => system.swapped(published, target)));
      watch.settle();
      const outcomes = reports.map(({ outcome }) => (outcome.kind === "swapped" ? outcome : null));
      const lives = new Set(outcomes.map((outcome) => outcome?.live));
      if (lives.size !== 1) faults.push(`after assign ${published.counter} the processes read back different code`);
      pausesMs.push(outcomes[0]?.pauseMs ?? NaN);
    };
    let at = 0;
    let before = first.name;
    try {
      for (let swap = 1; swap <= swaps; swap++) {
        await answered.reaches(Math.max(Math.ceil((requests * swap) / (swaps + 1)), answered.right + leastBetween));
        if (swap % 4 === 0) {
          // To where the live assign points: the edition before.
          const now = watch.newest;
          watch.begin(before);
          before = now;
          await settle(await system.rollback());
          count.rollback += 1;
          continue;
        }
        if (swap % 5 === 3) await refuse(system, app, faults);
        at = (at + 1) % app.editions.length;
        let edition = app.editions[at]!;
        if (edition.name === watch.newest) edition = app.editions[(at = (at + 1) % app.editions.length)]!;
        await edition.write(system.projectDir);
        before = watch.newest;
        watch.begin(edition.name);
        const published = await system.publish();
        if (published.rung === "patch" || published.rung === "redefine") count[published.rung] += 1;
        await settle(published);
      }
      await answered.reaches(Math.max(requests, answered.right + leastBetween));
    } catch (error) {
      // What was seen until here is told all the same.
      faults.push(`the run ended early: ${error instanceof Error ? error.message : String(error)}`);
    }
    stop.abort();
    const report = await load.finished;
    const left = await customers.leave();
    faults.push(...left.faults);
    if (report.failed > 0) faults.push(...report.firstFailures.map((f) => `${f.kind}: ${f.request}: ${f.message}`));
    if (report.voidBecause !== null) faults.push(`void: ${report.voidBecause}`);
    for (const one of [main, sibling]) {
      if (!one.isAlive || startedTicks(one.pid) !== one.startedTicks) faults.push(`process ${one.pid} is not the one that was started`);
      const edition = await app.editionOf(one);
      if (edition !== watch.newest) faults.push(`process ${one.pid} serves ${edition}, not ${watch.newest}`);
      if (one.stderr.lines.length > 0) faults.push(`process ${one.pid} said ${one.stderr.lines[0]}`);
    }
    const reports = await system.registry.reports({ channel: system.channel });
    for (const { counter, outcome } of reports) if (outcome.kind !== "swapped") faults.push(`assign ${counter}: ${JSON.stringify(outcome)}`);
    const expected = swaps * targets.length;
    if (reports.length !== expected) faults.push(`${reports.length} reports, not ${expected}`);
    if (boot.number !== 1) faults.push(`the first release has number ${boot.number}`);
    return { node, app: name, swaps: count, load: report, pausesMs, figures: left.figures, faults };
  } finally {
    await main.killGroup();
    await sibling.killGroup();
  }
}

/** What cannot go live in place is not published at all. */
async function refuse(system: System, app: LiveApp, faults: string[]): Promise<void> {
  const head = await system.registry.head(system.channel);
  await app.refused.write(system.projectDir);
  const outcome = await system.publisher.publish(await system.collect());
  if (outcome.kind !== "refused" || outcome.code !== "REPLACE_NEEDED") faults.push(`what needs a new process was not refused: ${JSON.stringify(outcome)}`);
  if ((await system.registry.head(system.channel))?.id !== head?.id) faults.push("a refused publish changed the log");
}

/** How many questions the app answers now, on a machine that may have more to do than this. An open loop must not ask for more. */
async function answersPerSecond(ask: () => Promise<unknown>): Promise<number> {
  const questions = 400;
  let asked = 0;
  const askOn = async (): Promise<void> => {
    while (asked++ < questions) await ask();
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: 8 }, askOn));
  return (questions / (performance.now() - startedMs)) * 1000;
}
