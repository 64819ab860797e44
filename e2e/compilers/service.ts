/**
 * A small shop's service in TypeScript, with what compilers rewrite: decorators, private members, an enum, a
 * namespace, a barrel, parameter properties, defaults. Each file by its path below `src`.
 */
export type Sources = Readonly<Record<string, string>>;

const money = `
export namespace Units {
  export const cents = 100;
  export function toCents(euros: number): number {
    return Math.round(euros * cents);
  }
}

function no(): never {
  throw new RangeError("too much");
}

export const format = (amount: number, sign: string = "€"): string =>
  amount < 0
    ? sign
    : amount > 1_000_000
      ? no()
      : sign + (amount / Units.cents).toFixed(2);
`;

const level = `
export enum Level {
  None,
  Low = 3,
  High = 10,
}

export function levelOf(stock: number): Level {
  return stock >= Level.High
    ? Level.High
    : stock >= Level.Low ? Level.Low : Level.None;
}
`;

const legacyTraced = `
export const calls: Record<string, number> = {};

export function traced(_target: object, name: string, descriptor: PropertyDescriptor): void {
  const original = descriptor.value as (...args: unknown[]) => unknown;
  descriptor.value = function (this: unknown, ...args: unknown[]): unknown {
    calls[name] = (calls[name] ?? 0) + 1;
    return original.apply(this, args);
  };
}
`;

const traced = `
export const calls: Record<string, number> = {};

export function traced<T extends (...args: never[]) => unknown>(original: T, context: ClassMethodDecoratorContext): T {
  const name = String(context.name);
  return function (this: unknown, ...args: never[]): unknown {
    calls[name] = (calls[name] ?? 0) + 1;
    return original.apply(this, args);
  } as T;
}
`;

const catalogue = `
import { Level, levelOf } from "./level.js";
import { Units } from "./money.js";
import { traced } from "./traced.js";

interface Item {
  readonly name: string;
  readonly price: number;
  stock: number;
}

export class Catalogue {
  static #made = 0;
  readonly #items = new Map<string, Item>();
  #asked = 0;

  constructor(private readonly shop: string, first: readonly Item[] = []) {
    Catalogue.#made++;
    for (const item of first) this.#items.set(item.name, item);
  }

  get asked(): number {
    return this.#asked;
  }

  @traced
  find(name: string, { quantity = 1 }: { quantity?: number } = {}): { total: number; level: string } {
    this.#asked++;
    const item = this.#need(name);
    return { total: Units.toCents(item.price) * quantity, level: Level[levelOf(item.stock)]! };
  }

  async sell(name: string, quantity: number = 1): Promise<number> {
    const item = this.#need(name);
    await Promise.resolve();
    item.stock -= quantity;
    return item.stock;
  }

  #need(name: string): Item {
    const item = this.#items.get(name);
    if (item === undefined) {
      throw new Error(this.shop + " has no " + name);
    }
    return item;
  }
}
`;

const barrel = `
export { Catalogue } from "./catalogue.js";
export * from "./money.js";
export { Level, levelOf } from "./level.js";
`;

const server = `
import { createServer } from "node:http";
import { Catalogue, format } from "./shop/index.js";
import { calls } from "./shop/traced.js";

const catalogue = new Catalogue("corner", [{ name: "tea", price: 2.5, stock: 4 }, { name: "jam", price: 3.2, stock: 20 }]);

async function answer(url: URL): Promise<unknown> {
  const name = url.searchParams.get("name") ?? "tea";
  const quantity = Number(url.searchParams.get("quantity") ?? 2);
  switch (url.pathname) {
    case "/price":
      return { price: format(catalogue.find(name, { quantity }).total), asked: catalogue.asked, calls: calls.find };
    case "/sell":
      return { left: await catalogue.sell(name) };
    default:
      return { level: catalogue.find(name).level };
  }
}

const server = createServer((request, response) => {
  answer(new URL(request.url ?? "/", "http://shop")).then(
    (body) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(body));
    },
    (error: Error) => {
      response.statusCode = 422;
      response.end(error.stack);
    },
  );
});

server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  const address = server.address();
  console.log(JSON.stringify({ port: typeof address === "object" ? address?.port : 0 }));
});
`;

export function serviceSources(decorators: "legacy" | "standard"): Sources {
  return {
    "server.ts": server,
    "shop/index.ts": barrel,
    "shop/catalogue.ts": catalogue,
    "shop/money.ts": money,
    "shop/level.ts": level,
    "shop/traced.ts": decorators === "legacy" ? legacyTraced : traced,
  };
}

/** One edit of a file. Throws if the text is not there. */
export function edit(sources: Sources, file: string, from: string, to: string): Sources {
  const text = sources[file];
  if (text?.includes(from) !== true) throw new Error(`${file} has no ${from}`);
  return { ...sources, [file]: text.replace(from, to) };
}

/** The line, from 1, on which a text stands in a file. */
export function lineOf(sources: Sources, file: string, text: string): number {
  const at = sources[file]?.indexOf(text) ?? -1;
  if (at === -1) throw new Error(`${file} has no ${text}`);
  return sources[file]!.slice(0, at).split("\n").length;
}
