import { symlinkSync } from "node:fs";
import path from "node:path";
import { repositoryRoot, type System, type SystemOptions } from "@midflight/testkit";
import { jsonServerApp } from "../../e2e/live/json-server-app.ts";
import { shopApp } from "../../e2e/live/shop-app.ts";
import type { RawRequest } from "./request-blocks.ts";

/** A kind of request, and how much dearer it may be with an agent than without. */
export interface OverheadCase {
  readonly name: string;
  readonly requests: readonly RawRequest[];
  /** `request`: judged by what it costs without an agent · `loop`: the worst case of guards, code that only calls and counts. */
  readonly kind: "request" | "loop";
}

export interface MeasuredApp {
  readonly name: string;
  readonly system: SystemOptions;
  readonly cases: readonly OverheadCase[];
  prepare(system: System): Promise<void>;
  /** Writes another edition, which goes live by changed bodies alone. */
  change(system: System): Promise<void>;
  /** The head of a request that does not end before its connection does, so that its generation stays open. */
  readonly endless: string;
  /** Arguments of one process; `id` keeps its files from those of others. */
  args(system: System, id: string): Promise<readonly string[]>;
}

export function measuredApps(): readonly MeasuredApp[] {
  return [shop(), jsonServer(), loops()];
}

/** The head of a request whose body does not come: whoever reads it waits. */
function unfinished(place: string): string {
  return `POST ${place} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
}

/** Compiled, because Node 20 cannot run its sources. */
function shop(): MeasuredApp {
  const app = shopApp(true);
  const add = (i: number): RawRequest => ({ method: "POST", path: `/api/cart/keeper-${i}/items`, body: JSON.stringify({ sku: "mug", quantity: 1, gift: i % 2 === 0 }) });
  const look = (i: number): RawRequest => ({ path: `/api/cart/keeper-${i}?country=FR&coupon=WELCOME` });
  return {
    name: "shop",
    system: app.system,
    cases: [
      { name: "shop, customers", kind: "request", requests: [...Array.from({ length: 8 }, (_, i) => [add(i), look(i)]).flat(), { path: "/api/products" }, { path: "/" }, { path: "/api/products" }, { path: "/" }] },
      { name: "shop, liveness", kind: "request", requests: [{ path: "/livez" }] },
    ],
    async prepare(system) {
      linkModules(system);
      await app.editions[0]!.write(system.projectDir);
    },
    change: (system) => app.editions[1]!.write(system.projectDir),
    endless: unfinished("/api/cart/slow/items"),
    args: async () => ["dist/server.js"],
  };
}

function jsonServer(): MeasuredApp {
  const app = jsonServerApp();
  return {
    name: "json-server",
    system: app.system,
    cases: [{ name: "json-server, readers", kind: "request", requests: [{ path: "/posts" }, { path: "/posts?_page=2&_limit=5" }, { path: "/posts?q=post" }, { path: "/posts/7" }, { path: "/posts?_sort=title&_order=desc" }] }],
    async prepare(system) {
      await app.editions[0]!.write(system.projectDir);
      linkModules(system);
    },
    change: (system) => app.editions[1]!.write(system.projectDir),
    endless: unfinished("/posts"),
    async args(system, id) {
      const { args = [] } = await app.startOptions(system, id);
      return args;
    },
  };
}

/** Calls in tight loops over tables and constants of the module: what guards and `let`-for-`const` would slow down most. */
function loops(): MeasuredApp {
  const files = {
    "package.json": JSON.stringify({ name: "loops", private: true, type: "module" }),
    "src/prices.js": `const rates = [0, 5, 7, 19, 21];
const scale = 100;
export const table = Array.from({ length: 64 }, (_, i) => ({ cents: i * 37 % 1000, rate: i % rates.length }));

export function sum(rounds) {
  let total = 0;
  for (let n = 0; n < rounds; n += 1) {
    for (let i = 0; i < table.length; i += 1) total = (total + Math.trunc(table[i].cents * (scale + rates[table[i].rate]) / scale)) % 1_000_003;
  }
  return total;
}
`,
    "src/app.js": `import { createServer } from "node:http";
import { sum } from "./prices.js";

const server = createServer((request, response) => {
  if (request.url !== "/endless") response.end(String(sum(400)));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log("loops on http://127.0.0.1:" + server.address().port));
`,
  };
  return {
    name: "loops",
    system: { app: "loops", files, code: ["src"], run: "node src/app.js", ready: /^loops on (\S+)/ },
    cases: [{ name: "loops over constants of the module", kind: "loop", requests: [{ path: "/" }] }],
    prepare: async () => {},
    change: async (system) => system.write({ "src/prices.js": files["src/prices.js"].replace("let total = 0;", "let total = 1;") }),
    endless: "GET /endless HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    args: async () => ["src/app.js"],
  };
}

/** The project finds its packages where the releases made from it find them. */
function linkModules(system: System): void {
  symlinkSync(path.join(repositoryRoot, "node_modules"), path.join(system.projectDir, "node_modules"), "dir");
}
