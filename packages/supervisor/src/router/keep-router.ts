import { randomBytes } from "node:crypto";
import path from "node:path";
import type { DrainedWord } from "@midflight/protocol";
import { adopt } from "../child.ts";
import type { HeldProcess, Holder } from "../holder/connect-holder.ts";
import { identify } from "../process-identity.ts";
import { serveInside, stopInside } from "./inside-paths.ts";
import { readRouteState, removeRouteState, writeRouteState, type RouteState } from "./route-state.ts";
import { findRouter, startRouter, type StartedRouter } from "./start-router.ts";
import { sides, type RouterTable, type Side } from "./table.ts";
import type { RouterCounts } from "./words.ts";

export interface RouterOptions {
  readonly holder: Holder;
  /** Whose sockets are routed. */
  readonly target: string;
  /** Where the project keeps things. */
  readonly root: string;
  readonly logPath: string;
  /** Of the service: a socket named `:0` is found by its `PORT`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How long what a process or the router has begun may take when the other takes over. Milliseconds. */
  readonly drainTimeoutMs: number;
}

/** A router between clients and the processes of two sides, see spec/router.md. */
export interface KeptRouter {
  /** Of the router's process; null until it has started. */
  readonly pid: number | null;
  readonly table: RouterTable;
  /** Lets a process of a side be asked. It is given nothing before the shares say so. @throws Error with the reason */
  add(side: Side, held: HeldProcess): Promise<void>;
  /** New shares from now on; what is under way ends where it began. */
  route(change: Partial<Pick<RouterTable, "greenShare" | "isSticky">>): Promise<void>;
  /** Resolves when nothing is under way to a side: then it may drain. */
  settle(side: Side): Promise<void>;
  count(): Promise<RouterCounts>;
  /** Takes the router out: from now on this process is asked directly, and alone. */
  remove(heir: HeldProcess): Promise<void>;
}

export type Inserted = { readonly kind: "inserted"; readonly router: KeptRouter } | { readonly kind: "refused"; readonly reason: string };

const longestBackOffMs = 5000;

/** Puts a router before a process that serves. If that cannot be done, the process serves as before. @param deployment names it, in pins */
export async function insertRouter(options: RouterOptions, blue: HeldProcess, deployment: string): Promise<Inserted> {
  const sockets = options.holder.sockets(options.target).filter((socket) => blue.listening.has(socket));
  if (sockets.length === 0) return { kind: "refused", reason: `nobody holds a socket that ${options.target} listens on` };
  const inside = await serveInside(options.root, blue, sockets);
  if ("problem" in inside) {
    stopInside(blue, sockets);
    return { kind: "refused", reason: inside.problem };
  }
  const table: RouterTable = { deployment, key: randomBytes(32).toString("hex"), greenShare: 0, isSticky: false, blue: [inside.upstream], green: [] };
  const router = new Keeper(options, { phase: "inserting", target: options.target, sockets, pid: null, table, stayed: [blue.pid] });
  try {
    await router.begin();
  } catch (error) {
    router.giveUp(blue);
    return { kind: "refused", reason: (error as Error).message };
  }
  await router.takeOver(blue);
  return { kind: "inserted", router };
}

/** Goes on with a router that an earlier supervisor put in. Null if there is none. @throws Error if it cannot be started again */
export async function resumeRouter(options: RouterOptions): Promise<KeptRouter | null> {
  const state = readRouteState(stateFileOf(options));
  if (state === null) return null;
  const router = new Keeper(options, state);
  await router.begin();
  for (const pid of state.stayed) {
    const held = options.holder.find(pid);
    if (state.phase === "inserting" && held !== null) await router.takeOver(held);
  }
  return router;
}

class Keeper implements KeptRouter {
  readonly #options: RouterOptions;
  #state: RouteState;
  #router: Promise<StartedRouter> | null = null;

  constructor(options: RouterOptions, state: RouteState) {
    this.#options = options;
    this.#state = state;
  }

  get pid(): number | null {
    return this.#state.pid;
  }

  get table(): RouterTable {
    return this.#state.table;
  }

  /** Finds the router, or starts it; and again whenever it ends by itself. */
  async begin(): Promise<void> {
    this.#write({});
    this.#router = this.#open();
    const started = await this.#router;
    this.#write({ pid: started.held.pid });
    started.held.say({ kind: "accept" });
    void started.held.exited.then(() => this.#again(1));
  }

  async #open(): Promise<StartedRouter> {
    const { pid, sockets } = this.#state;
    const options = { ...this.#options, stateFile: stateFileOf(this.#options), sockets };
    const found = pid === null ? null : await findRouter(options, pid).catch(() => null);
    return found ?? (await startRouter(options));
  }

  /** What its clients open meanwhile waits in the kernel. */
  async #again(attempt: number): Promise<void> {
    if (this.#state.phase === "removing" || !this.#options.holder.isThere) return;
    await this.begin().catch(async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.min(longestBackOffMs, 100 * 2 ** attempt)));
      await this.#again(attempt + 1);
    });
  }

  /** The router accepts; the process stops, gives its idle connections away, and stays. */
  async takeOver(blue: HeldProcess): Promise<void> {
    const { held } = await this.#router!;
    await this.#drain(blue, held, true);
    this.#write({ phase: "routing" });
  }

  async #drain(from: HeldProcess, heir: HeldProcess, isStaying: boolean): Promise<void> {
    const drained = from.hear((word): word is DrainedWord => word.kind === "drained");
    from.say({ kind: "drain", deadlineMs: this.#options.drainTimeoutMs, heirs: this.#state.sockets, isStaying }, heir);
    await Promise.race([drained, from.exited, from.lost]);
  }

  async add(side: Side, held: HeldProcess): Promise<void> {
    const inside = await serveInside(this.#options.root, held, this.#state.sockets);
    if ("problem" in inside) throw new Error(inside.problem);
    await this.#route({ ...this.table, [side]: [...this.table[side], inside.upstream] });
  }

  async route(change: Partial<Pick<RouterTable, "greenShare" | "isSticky">>): Promise<void> {
    await this.#route({ ...this.table, ...change });
  }

  async #route(table: RouterTable): Promise<void> {
    // Written down first: a router that starts now reads it.
    this.#write({ table });
    await (await this.#router!).line.route(table);
  }

  async settle(side: Side): Promise<void> {
    await (await this.#router!).line.settle(side);
  }

  async count(): Promise<RouterCounts> {
    return await (await this.#router!).line.count();
  }

  async remove(heir: HeldProcess): Promise<void> {
    const { sockets, stayed, table } = this.#state;
    const side = sides.find((one) => table[one].some((upstream) => Object.values(upstream).some((at) => path.basename(at).startsWith(`${heir.pid}-`))));
    if (side === undefined) throw new Error(`process ${heir.pid} is not behind the router`);
    await this.route({ greenShare: side === "green" ? 1 : 0, isSticky: false });
    await this.settle(side === "green" ? "blue" : "green");
    this.#write({ phase: "removing" });
    if (stayed.includes(heir.pid)) for (const socket of sockets) heir.say({ kind: "listen", socket });
    else heir.say({ kind: "accept" });
    const { held, line } = await this.#router!;
    // It would be one more connection to wait for.
    line.close();
    await this.#drain(held, heir, false);
    const identity = identify(held.pid);
    if (identity !== null) await adopt(identity, held).stop(1000);
    stopInside(heir, sockets);
    removeRouteState(stateFileOf(this.#options));
  }

  /** Nothing was changed yet that a client could see. */
  giveUp(blue: HeldProcess): void {
    this.#write({ phase: "removing" });
    stopInside(blue, this.#state.sockets);
    removeRouteState(stateFileOf(this.#options));
  }

  #write(change: Partial<RouteState>): void {
    this.#state = { ...this.#state, ...change };
    writeRouteState(stateFileOf(this.#options), this.#state);
  }
}

function stateFileOf({ root, target }: Pick<RouterOptions, "root" | "target">): string {
  return path.join(root, "router", `${target}.json`);
}
