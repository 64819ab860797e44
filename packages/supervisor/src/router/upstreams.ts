import { Pool } from "undici";
import { sides, type RouterTable, type Side, type Upstream } from "./table.ts";

/** One process, and what is under way to it. */
export interface Reach {
  readonly side: Side;
  /** The path of its Unix socket. */
  readonly path: string;
  readonly pool: Pool;
}

const connectWithinMs = 10_000;
/** Shorter than Node's own 5 s for idle connections, so that none is ended while a request is on its way. */
const idleMs = 3500;

/** The processes behind the router: connections to each, and who is next. */
export class Upstreams {
  readonly #pools = new Map<string, Pool>();
  readonly #underWay: Record<Side, number> = { blue: 0, green: 0 };
  readonly #settling: { readonly side: Side; readonly done: () => void }[] = [];
  #turn = 0;

  /** The next process of a side that serves a public socket of this name; null if there is none. */
  next(table: RouterTable, side: Side, socket: string): Reach | null {
    const serving = table[side].filter((upstream: Upstream) => upstream[socket] !== undefined);
    if (serving.length === 0) return null;
    const path = serving[this.#turn++ % serving.length]![socket]!;
    return { side, path, pool: this.#pool(path) };
  }

  begin(side: Side): void {
    this.#underWay[side] += 1;
  }

  end(side: Side): void {
    this.#underWay[side] -= 1;
    if (this.#underWay[side] > 0) return;
    for (const waiting of this.#settling.filter((one) => one.side === side)) {
      this.#settling.splice(this.#settling.indexOf(waiting), 1);
      waiting.done();
    }
  }

  get underWay(): Readonly<Record<Side, number>> {
    return { ...this.#underWay };
  }

  /** Resolves when nothing is under way to a side. */
  async settled(side: Side): Promise<void> {
    if (this.#underWay[side] > 0) await new Promise<void>((done) => this.#settling.push({ side, done }));
  }

  /** Ends the connections to processes that no table names any more, once what is under way on them has ended. */
  forget(table: RouterTable): void {
    const named = new Set(sides.flatMap((side) => table[side].flatMap((upstream) => Object.values(upstream))));
    for (const [path, pool] of this.#pools) {
      if (named.has(path)) continue;
      this.#pools.delete(path);
      void pool.close().catch(() => undefined);
    }
  }

  #pool(path: string): Pool {
    let pool = this.#pools.get(path);
    if (pool === undefined) {
      // As many connections as there are requests at once: who waits here would wait twice.
      pool = new Pool("http://localhost", { socketPath: path, pipelining: 1, keepAliveTimeout: idleMs, keepAliveMaxTimeout: idleMs, headersTimeout: 0, bodyTimeout: 0, connectTimeout: connectWithinMs });
      this.#pools.set(path, pool);
    }
    return pool;
  }
}
