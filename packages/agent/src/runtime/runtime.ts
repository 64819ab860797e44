import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import { defaultRequestPolicy, type RequestPolicy } from "@midflight/protocol";
import { getBuiltin } from "./builtin.ts";
import { AddedUnits } from "./added-units.ts";
import { collapse, readBack, write, writeInstance, type CommitResult, type Written } from "./commit.ts";
import { endWith } from "./end-with.ts";
import { Generations, type GenerationsOptions } from "./generations.ts";
import { followHttpRequests, isEventStream } from "./http-requests.ts";
import { Hold, untilEnded } from "./hold.ts";
import { HotState } from "./hot.ts";
import { Instance, type Door } from "./instance.ts";
import { InstanceTable } from "./instance-table.ts";
import type { AddedUnit, Overlay, OverlayUnit } from "./overlay.ts";
import type { Meter } from "../measure/meter.ts";
import { Pace } from "../pace.ts";
import { addMember, removeMember, type Choice } from "./members.ts";
import { prepare, type Prepared } from "./prepare.ts";
import { writeReflection } from "./reflection.ts";
import { Reload, type Failure } from "./reload.ts";
import { readTexts, type Readings } from "./read-texts.ts";
import type { Modules } from "./scope.ts";
import { SourceMaps } from "./source-maps.ts";
import { findHindrance, type Refused } from "./hindrance.ts";
import { stage, type StageResult, type Staged } from "./stage.ts";
import type { Digest, Hash } from "@midflight/protocol";

export type { AddedUnit, CommitResult, Overlay, Readings, OverlayUnit, StageResult, Staged };

/** The part of the agent that touches the app's code. One per thread. */
export interface Runtime {
  /** Puts the hook on `globalThis` by which instrumented units register themselves. */
  install(): void;
  /** Takes the hook away, and what follows requests. Code that is loaded stays as it is. */
  uninstall(): void;
  /** Before the app has loaded: each instance takes the overlay when it registers. Refused if that needs modules loaded. */
  adopt(overlay: Overlay): { readonly kind: "adopted" } | Refused;
  /** Compiles an overlay off to the side, in slices. Changes nothing that the app can see. */
  stage(overlay: Overlay): Promise<StageResult>;
  /** What the next swap means to requests under way. Undefined: what the process was started with. */
  usePolicy(policy: RequestPolicy | undefined): void;
  /**
   * Under the policy `drain`, holds new requests and waits until those under way have ended; a commit, and nothing
   * else, has to follow at once. Refused if they do not end in time and the policy gives the swap up. An overlay that
   * makes a top level run again is drained under `request`, too, and is always given up at the bound.
   */
  drain(staged: Staged): Promise<Refused | null>;
  /** Hears, once per generation, of requests beyond their bound that the policy does not move on. */
  whenOverdue(listener: (reason: string) => void): void;
  /** Makes a staged overlay live in one synchronous step over all instances, or not at all; then reads it back. `isWayBack`: requests under way are no reason against it. */
  commit(staged: Staged, isWayBack?: boolean): CommitResult;
  /**
   * Reads the live texts of what the overlay changed, and whether somebody else changed the process since, in slices.
   * Null if a swap came in between.
   */
  readTexts(): Promise<Readings | null>;
  /** Settles when the requests that began before the last swap have ended or been moved on: then the next may be committed. */
  single(): Promise<void>;
  /** Moves the requests that began before the last swap on at once, so that it can be taken back without waiting. */
  giveUpOld(): void;
  /** Runs work as one request: all of it on the generation that is current now. Ends with its promise. */
  run<T>(work: () => T): T;
  /** Units with at least one instance. */
  readonly loaded: ReadonlySet<string>;
  /** The longest the event loop was blocked by one slice since the last `stage` began, in ms; commit and read-back included. */
  longestBlockMs(): number;
}

export interface RuntimeOptions {
  /** Root of the release directory; null if the code on disk is of no known release. */
  readonly releaseDirectory: string | null;
  readonly hash: Hash;
  /** Artifacts of the boot release by unit, as they were proved. Default: files are taken by what the transition says. */
  readonly bootArtifacts?: ReadonlyMap<string, Digest>;
  /** What a swap means to requests under way; goes before what `usePolicy` says. Default: nothing. */
  readonly requests?: Partial<RequestPolicy>;
  /** How long work that follows a response keeps its generation, in ms. Default: 30. */
  readonly lingerMs?: number;
  /** Counts requests as they end. Default: none does. */
  readonly meter?: Meter;
}

/** The name under which instrumented units look for an agent (spec/instrument.md). */
const hook = Symbol.for("midflight.agent.v1");

export function createRuntime(options: RuntimeOptions): Runtime {
  const table = new InstanceTable();
  const maps = new SourceMaps(options.releaseDirectory);
  const added = new AddedUnits(options.releaseDirectory, maps);
  const pace = new Pace();
  let policy: RequestPolicy = { ...defaultRequestPolicy, ...options.requests };
  let overdue: (reason: string) => void = () => undefined;
  const timing: GenerationsOptions = {
    pinMs: policy.pinMs,
    lingerMs: options.lingerMs ?? 30,
    movesOn: policy.straggler === "move-on",
    isEndless: isEventStream,
    onOverdue: () => overdue(`requests that began before the last swap were under way still after ${policy.pinMs} ms`),
  };
  const generations = new Generations(timing);
  const byRequest = options.requests?.kind !== "call";
  const hold = new Hold();
  /** Requests were under way at the end of a drain: they go on with the new code. */
  let isLate = false;
  const { isOld } = generations;
  const now: Choice = { hasOld: false, isOld };
  let unfollow: (() => void) | null = null;
  let generation = 0;
  let current: ReadonlyMap<string, OverlayUnit> = new Map();
  let modules: Modules = lateModules;

  function lateModules(instance: Instance, op: Parameters<Modules>[1]): ReturnType<Modules> {
    return op.from === "added" ? added.namespace(op.unit) : getBuiltin(op.specifier, instance.url);
  }

  /** What an instance gets that registered after its overlay was staged: compiled when first used. */
  function prepareLate(instance: Instance, overlay: ReadonlyMap<string, OverlayUnit>): Prepared | null {
    const unit = overlay.get(instance.unit);
    if (unit === undefined) return null;
    const scopes: Modules = (i, op) => modules(i, op) ?? lateModules(i, op);
    const made = prepare(instance, unit, table, (i) => i.scope, scopes, isOld, maps);
    maps.tell(instance, unit);
    instance.prepare(made.slots.keys());
    // Its functions are made while it loads.
    if (made.reflecting.length > 0) queueMicrotask(() => writeWhenLoaded(instance, made));
    return made;
  }

  function writeWhenLoaded(instance: Instance, { scope, reflecting }: Prepared): void {
    try {
      if (instance.scope === scope) writeReflection(instance, reflecting, []);
    } catch {
      // What they do is right; only what they say of themselves is the boot text's.
    }
  }

  function add(unit: string, tag: string, url: string, door: Door, hasHooks = false): (((binding: string, made: never) => void) & { hot?: unknown }) | undefined {
    try {
      const instance = new Instance(unit, tag, url, door, hasHooks ? new HotState() : null);
      table.add(instance);
      const prepared = prepareLate(instance, current);
      if (prepared !== null) {
        table.markChanged(instance);
        writeInstance(instance, prepared, [], now);
      }
      const onClass = (binding: string, made: never): void => {
        instance.classes.set(binding, made);
        try {
          for (const op of instance.removals) if (op.className === binding) removeMember(instance, op, now);
          for (const { op, part } of instance.members) if (op.className === binding) addMember(instance, op, part, now);
        } catch {
          // The class stays as its text made it; the read-back of the next swap tells.
        }
      };
      return instance.hot === null ? onClass : Object.assign(onClass, { hot: instance.hot.hot });
    } catch {
      // Nothing of ours may disturb the loading of the app's module.
      return undefined;
    }
  }

  /** A JSON file has no text that could register itself: whoever imports it reads its new value from here. */
  function addJson({ units }: Overlay): void {
    for (const { ops } of units) {
      const directory = options.releaseDirectory;
      if (!ops.unit.endsWith(".json") || directory === null || table.of(ops.unit).length > 0) continue;
      const file = join(directory, ops.unit);
      // The file is the one that was proved at the start: release directories are read-only.
      add(ops.unit, options.hash(readFileSync(file, "utf8")).slice(7, 23), file, (code) => runInThisContext(code) as unknown);
    }
  }

  function commit(staged: Staged, keepsOld: boolean): CommitResult {
    const next = byUnit(staged.overlay);
    const formerModules = modules;
    const undone = ({ code, reason, unit }: Failure): CommitResult => ({ kind: "undone", code, reason, unit });
    if (generations.hasOld) return undone({ code: generations.isOverdue ? "REQUESTS_OVERDUE" : "SWAP_TIMED_OUT", reason: "requests of the generation before the last are still open", unit: null });
    const hindrance = findHindrance(staged, table);
    if (hindrance !== null) return undone(hindrance);
    const reload = new Reload(staged.reruns);
    // Hooks are the app's code, too.
    const stuck = reload.leave() ?? (staged.reruns.length > 0 ? findHindrance(staged, table) : null);
    if (stuck !== null) return undone(reload.takeBack(stuck));
    const hasOld = generations.advance(() => collapse(table), keepsOld);
    const retreat = (written: Written | null): void => {
      written?.undo();
      modules = formerModules;
      generations.retreat();
    };
    let written: Written | null = null;
    let failure: Failure | null = null;
    try {
      modules = staged.modules;
      written = write(staged, table, (instance) => prepareLate(instance, next), { hasOld, isOld });
      failure = reload.enter();
    } catch (error) {
      const reason = `the commit threw ${error instanceof Error ? error.message : "a value"}; everything it had written was taken back`;
      failure = { code: "OVERLAY_FAILED", reason: reason.slice(0, 300), unit: null };
    }
    const shown = new Map([...next].map(([unit, { ops }]) => [unit, `${ops.artifact} ${ops.birth}`]));
    const read = failure === null ? readBack(table, shown) : null;
    if (read !== null && "differs" in read) failure = { code: "OVERLAY_FAILED", reason: "reading back found other code than was written; everything was taken back", unit: read.differs };
    if (failure !== null || written === null || read === null || "differs" in read) {
      reload.dropEntered();
      retreat(written);
      return undone(reload.takeBack(failure!));
    }
    reload.settle();
    current = next;
    generation++;
    for (const instance of table.changed) instance.fade(new Set(next.get(instance.unit)?.ops.cells.map(({ key }) => key)));
    table.settle();
    return { kind: "committed", generation, units: written.units, bodies: written.bodies, live: read.live };
  }

  function run<T>(work: () => T): T {
    if (!byRequest) return work();
    const token = generations.open();
    return generations.run(token, () => endWith(work, () => generations.close(token)));
  }

  return {
    install() {
      Object.defineProperty(globalThis, hook, { value: Object.freeze({ add, bind: (callback: never) => generations.bind(callback), run }), configurable: true });
      if (byRequest) unfollow = followHttpRequests(generations, hold, options.meter ?? null);
    },
    uninstall() {
      delete (globalThis as Record<symbol, unknown>)[hook];
      unfollow?.();
      unfollow = null;
    },
    adopt(overlay) {
      for (const { ops } of overlay.units) {
        const needs = ops.imports.find((op) => op.from === "added" || (op.from === "module" && getBuiltin(op.specifier, import.meta.url) === undefined));
        if (ops.reload?.again === false) return { kind: "refused", code: "OVERLAY_FAILED", reason: "its top level has to run before it can run again", unit: ops.unit };
        if (needs !== undefined) return { kind: "refused", code: "OVERLAY_FAILED", reason: "it needs modules that are not loaded before the app is", unit: ops.unit };
      }
      current = byUnit(overlay);
      addJson(overlay);
      return { kind: "adopted" };
    },
    async stage(overlay) {
      pace.reset();
      addJson(overlay);
      const boot = { live: (unit: string) => current.get(unit), releaseDirectory: options.releaseDirectory, bootArtifacts: options.bootArtifacts ?? null, hash: options.hash };
      return stage(overlay, { table, added, pace, isOld, maps, boot });
    },
    usePolicy(given) {
      policy = { ...defaultRequestPolicy, ...given, ...options.requests };
      timing.pinMs = policy.pinMs;
      timing.movesOn = policy.straggler === "move-on";
    },
    async drain({ reruns: [first] }) {
      const isReload = first !== undefined && policy.kind !== "call";
      if (policy.kind !== "drain" && !isReload) return null;
      isLate = !(await untilEnded(hold, generations, { ...policy, lingerMs: timing.lingerMs }));
      if (!isLate || (isReload ? generations.isQuiet : policy.straggler === "move-on")) return null;
      isLate = false;
      hold.release();
      // Nothing but a new process helps where the policy says so; elsewhere the next deploy may find a better moment.
      const code = policy.straggler === "replace" ? "REQUESTS_OVERDUE" : "SWAP_TIMED_OUT";
      return { kind: "refused", code, reason: `requests were under way still after new ones had been held for ${policy.holdMs} ms`, unit: first?.instance.unit ?? null };
    },
    whenOverdue(listener) {
      overdue = listener;
    },
    commit(staged, isWayBack = false) {
      const keepsOld = staged.reruns.length === 0 && (policy.kind === "request" || (policy.kind === "drain" && !isLate));
      const isBusy = staged.reruns.length > 0 && !isWayBack && policy.kind !== "call" && !generations.isQuiet;
      isLate = false;
      // What was held begins in a later turn.
      hold.release();
      if (isBusy) return { kind: "undone", code: "SWAP_TIMED_OUT", reason: "a request began before a top level could run again", unit: null };
      return pace.measure(() => commit(staged, keepsOld));
    },
    readTexts() {
      const begun = generation;
      return readTexts(table, new Pace(), options.hash, () => generation === begun);
    },
    single: () => generations.single(),
    giveUpOld: () => generations.giveUp(),
    run,
    get loaded() {
      return table.loaded;
    },
    longestBlockMs: () => pace.longestMs,
  };
}

function byUnit(overlay: Overlay): ReadonlyMap<string, OverlayUnit> {
  return new Map(overlay.units.map((unit) => [unit.ops.unit, unit]));
}
