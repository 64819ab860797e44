import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import { type AppProcess, IdLedger, type LoadResponse, missingNumbers, openEventStream, repositoryRoot, type RequestSpec } from "@midflight/testkit";
import { bulkDiscountFromTwo, cartsKnowTheirCurrency, chargeForGiftWrap, euroAfterAmount, makeEdit, type ShopEdit, stampRevisions } from "../../examples/shop/edits.ts";
import { copySources } from "./copy-sources.ts";
import type { Customers, Edition, LiveApp } from "./live-app.ts";

const shopDir = path.join(repositoryRoot, "examples/shop");

/** A method of a class with private fields, whose instances are full of customers' goods. */
const countPiecesByHand: ShopEdit = {
  name: "count the pieces of a cart in a loop",
  outcome: "live",
  because: "only the body of an accessor changes",
  file: "src/cart.ts",
  steps: [{ find: "return this.lines.reduce((sum, line) => sum + line.quantity, 0);", replace: "let pieces = 0;\n    for (const line of this.#lines.values()) pieces += line.quantity;\n    return pieces;" }],
};

const history: readonly { readonly name: string; readonly edits: readonly ShopEdit[] }[] = [
  { name: "A", edits: [] },
  { name: "B", edits: [euroAfterAmount] },
  { name: "C", edits: [euroAfterAmount, chargeForGiftWrap] },
  { name: "D", edits: [bulkDiscountFromTwo, countPiecesByHand] },
  { name: "E", edits: [chargeForGiftWrap, countPiecesByHand] },
];

/** @param isCompiled runs `dist/`, made by the TypeScript compiler from each edition, instead of the sources */
export function shopApp(isCompiled: boolean): LiveApp {
  const edition = (name: string, edits: readonly ShopEdit[]): Edition => ({
    name,
    async write(projectDir) {
      const built = path.join(projectDir, "built", name);
      if (isCompiled && existsSync(built)) return await copySources(built, path.join(projectDir, "dist"));
      await copySources(path.join(shopDir, "src"), path.join(projectDir, "src"));
      for (const edit of edits) await makeEdit(projectDir, edit);
      await stampRevisions(projectDir, name);
      if (!isCompiled) return;
      await compile(projectDir);
      await copySources(path.join(projectDir, "dist"), built);
    },
  });
  const editions = history.map(({ name, edits }) => edition(name, edits));
  const refused = edition("refused", [cartsKnowTheirCurrency]);
  return {
    system: {
      from: shopDir,
      copied: ["package.json", "tsconfig.json", "tsconfig.build.json"],
      code: [isCompiled ? "dist" : "src"],
      run: isCompiled ? "node dist/server.js" : "node src/server.ts",
      ready: /shop open on (\S+)/,
    },
    editions,
    refused,
    async prepare(projectDir) {
      await symlink(path.join(repositoryRoot, "node_modules"), path.join(projectDir, "node_modules"), "dir");
      // The compiler and the load would take the processor from each other.
      if (isCompiled) for (const each of [...editions, refused]) await each.write(projectDir);
    },
    startOptions: () => Promise.resolve({}),
    visit: openCustomers,
    editionOf: async ({ url }) => (await aboutOf(url)).revisions.pricing,
  };
}

async function compile(projectDir: string): Promise<void> {
  const tsc = path.join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: projectDir });
}

interface About {
  readonly pid: number;
  readonly requests: number;
  readonly carts: number;
  readonly orders: number;
  readonly stockChanges: number;
  readonly revisions: Readonly<Record<"pricing" | "discounts" | "money" | "tax", string>>;
}

const aboutOf = async (url: URL): Promise<About> => (await (await fetch(new URL("/api/about", url), { headers: { connection: "close" } })).json()) as About;

const keepers = 40;

async function openCustomers({ url, pid }: AppProcess): Promise<Customers> {
  const ledger = new IdLedger();
  const numbers: number[] = [];
  const additions = Array.from({ length: keepers }, () => 0);
  const stamps = new WeakMap<RequestSpec, number>();
  let mostRequests = 0;
  let buyers = 0;
  const stream = await openEventStream(new URL("/api/stock/stream", url));

  const getJson = async (place: string): Promise<unknown> => await (await fetch(new URL(place, url), { headers: { connection: "close" } })).json();
  const putTea = (cart: string, next?: RequestSpec["next"]): RequestSpec => ({
    path: `/api/cart/${cart}/items`, method: "POST", status: 201, body: { sku: "mug", quantity: 2, gift: true }, ...(next === undefined ? {} : { next }),
  });

  function plan(i: number): RequestSpec {
    switch (i % 8) {
      case 0:
        buyers += 1;
        return putTea(`buyer-${i}`, () => ({ path: `/api/cart/buyer-${i}/checkout?coupon=WELCOME`, method: "POST", status: 201 }));
      case 2:
        return putTea(`keeper-${(i >> 3) % keepers}`);
      case 4:
        return { path: `/api/cart/keeper-${(i >> 3) % keepers}?country=FR` };
      case 6: {
        const spec: RequestSpec = { path: "/api/about" };
        stamps.set(spec, mostRequests);
        return spec;
      }
      case 7:
        return { path: "/" };
      default:
        return { path: "/api/products" };
    }
  }

  function validate(response: LoadResponse, _i: number, spec: RequestSpec, allowed: ReadonlySet<string>): string | null {
    if (spec.path === "/") return response.text().includes("</html>") ? null : "the front page is cut short";
    const body = response.json() as Record<string, never>;
    if (spec.path.endsWith("/items")) {
      const keeper = /keeper-(\d+)/.exec(spec.path)?.[1];
      if (keeper !== undefined) additions[Number(keeper)]! += 1;
      return null;
    }
    const { revisions, receiptRevisions } = body as unknown as { revisions: Record<string, string>; receiptRevisions?: Record<string, string> };
    const seen = new Set([...Object.values(revisions), ...Object.values(receiptRevisions ?? {})]);
    for (const stamp of seen) if (!allowed.has(stamp)) return `${spec.path} was answered by ${[...seen].join("+")}, while ${[...allowed].join("+")} was live`;
    if (spec.path === "/api/about") {
      const about = body as unknown as About;
      if (about.pid !== pid) return `process ${about.pid} answered, not ${pid}`;
      if (about.requests <= (stamps.get(spec) ?? 0)) return `it counts ${about.requests} requests, and had counted ${stamps.get(spec)} before`;
      mostRequests = Math.max(mostRequests, about.requests);
    }
    if (spec.path.includes("/checkout")) {
      const sold = body as unknown as { order: string; number: number; totalCents: number };
      numbers.push(sold.number);
      // 2 mugs of 18.00 less 5 %, shipping 2.90, and 7.00 of gift wrap in C and E; a bulk discount from two pieces in D.
      const price = { A: 3710, B: 3710, C: 4410, D: 3368, E: 4410 }[[...seen][0] ?? ""];
      if (seen.size === 1 && allowed.size === 1 && sold.totalCents !== price) return `${[...seen][0]} sold for ${sold.totalCents}`;
      return ledger.record(sold.order);
    }
    return null;
  }

  async function leave(): ReturnType<Customers["leave"]> {
    const faults: string[] = [];
    const expect = (what: string, actual: unknown, expected: unknown): void => {
      if (JSON.stringify(actual) !== JSON.stringify(expected)) faults.push(`${what}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
    };
    const about = await aboutOf(url);
    expect("orders counted", about.orders, ledger.size);
    expect("order numbers left out", missingNumbers(numbers), []);
    expect("first and last order number", [Math.min(...numbers), Math.max(...numbers)], [1, ledger.size]);
    expect("carts", about.carts, buyers + additions.filter((count) => count > 0).length);
    // The shop keeps the newest 10,000 orders.
    const ids = [...ledger.ids].slice(-10_000);
    const sample = ids.filter((_, at) => at % Math.ceil(ids.length / 500) === 0);
    await Promise.all(sample.map(async (id) => expect(`order ${id}`, ((await getJson(`/api/orders/${id}`)) as { id: string }).id, id)));
    await Promise.all(
      additions.map(async (count, keeper) => expect(`things put into cart ${keeper}`, ((await getJson(`/api/cart/keeper-${keeper}`)) as { additions: number }).additions, count)),
    );
    // Nobody buys any more: only the shop's own timer brings stock now.
    await stream.waitForEvent(undefined, 30_000).catch((error: Error) => faults.push(`the timer is dead: ${error.message}`));
    const { outOfOrder, skipped, brokenBecause, events } = await stream.close();
    expect("the stream of events", { outOfOrder, skipped, brokenBecause }, { outOfOrder: 0, skipped: 0, brokenBecause: null });
    return { faults, figures: { orders: ledger.size, events } };
  }

  return { plan, validate, leave };
}
