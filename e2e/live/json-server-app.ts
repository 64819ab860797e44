import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { type AppProcess, freePort, IdLedger, type LoadResponse, type RequestSpec } from "@midflight/testkit";
import { copySources } from "./copy-sources.ts";
import type { Customers, Edition, LiveApp } from "./live-app.ts";

const packageDir = path.dirname(createRequire(import.meta.url).resolve("json-server/package.json"));

interface Change {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Every answer says which edition rendered it; the first edition is what the package's authors wrote, and says nothing. */
const says = (edition: string): Change => ({
  file: "lib/server/router/index.js",
  find: "    router.render(req, res);\n  });",
  replace: `    res.setHeader('X-Edition', '${edition}');\n    router.render(req, res);\n  });`,
});

const pluralFile = "lib/server/router/plural.js";

/** Inside a function that its factory has handed to a router long ago. */
const totalOnEveryList: Change = {
  file: pluralFile,
  find: "    if (_end || _limit || _page) {\n      res.setHeader('X-Total-Count', chain.size());",
  replace: "    res.setHeader('X-Total-Count', chain.size());\n    if (_end || _limit || _page) {",
};

/** A new function and a new constant of the module, used from there. */
const cappedPages: readonly Change[] = [
  {
    file: pluralFile,
    find: "module.exports = (db, name, opts) => {",
    replace: "const MOST_PER_PAGE = 3;\n\nfunction cap(wanted) {\n  return Math.min(wanted, MOST_PER_PAGE);\n}\n\nmodule.exports = (db, name, opts) => {",
  },
  { file: pluralFile, find: "_limit = parseInt(_limit, 10) || 10;", replace: "_limit = cap(parseInt(_limit, 10) || 10);" },
];

/** A search that finds nothing where the case differs. */
const caseMatters: Change = { file: pluralFile, find: "      q = q.toLowerCase();\n", replace: "" };

/** What one row may show is decided in another closure of the same factory. */
const rowsHaveLength: Change = {
  file: pluralFile,
  find: "      res.locals.data = clone;",
  replace: "      clone.fields = Object.keys(clone).length;\n      res.locals.data = clone;",
};

const history: readonly { readonly name: string; readonly changes: readonly Change[] }[] = [
  { name: "A", changes: [] },
  { name: "B", changes: [says("B"), totalOnEveryList] },
  { name: "C", changes: [says("C"), ...cappedPages] },
  { name: "D", changes: [says("D"), totalOnEveryList, caseMatters, rowsHaveLength] },
];

/** What each edition answers: the total on a plain list, how many posts a page of five holds, how many "Post" finds, how many fields it counts. */
const answers: Readonly<Record<string, { readonly total: boolean; readonly page: number; readonly found: number; readonly fields: number | undefined }>> = {
  A: { total: false, page: 5, found: 20, fields: undefined },
  B: { total: true, page: 5, found: 20, fields: undefined },
  C: { total: false, page: 3, found: 20, fields: undefined },
  D: { total: true, page: 5, found: 0, fields: 2 },
};

/** json-server 0.17.4: a REST server on Express from the npm registry, as its authors published it. */
export function jsonServerApp(): LiveApp {
  const edition = (name: string, changes: readonly Change[]): Edition => ({
    name,
    async write(projectDir) {
      await copySources(path.join(packageDir, "lib"), path.join(projectDir, "lib"));
      for (const { file, find, replace } of changes) {
        const target = path.join(projectDir, file);
        const parts = (await readFile(target, "utf8")).split(find);
        if (parts.length !== 2) throw new Error(`${file} holds the text to replace ${parts.length - 1} times`);
        await writeFile(target, parts.join(replace));
      }
    },
  });
  return {
    system: {
      app: "json-server",
      from: packageDir,
      copied: ["package.json"],
      code: ["lib"],
      run: "node lib/cli/bin.js",
      ready: /^ {2}(http:\/\/[^/\s]+)$/,
    },
    editions: history.map(({ name, changes }) => edition(name, changes)),
    // The routes were registered when the process started.
    refused: edition("refused", [{ file: "lib/server/router/plural.js", find: "  router.route('/').get(list).post(create, w);", replace: "  router.route('/').get(list).post(create, w).options(list);" }]),
    prepare: () => Promise.resolve(),
    async startOptions(system, target) {
      const database = path.join(system.directory, `${target}.json`);
      const posts = Array.from({ length: 20 }, (_, at) => ({ id: at + 1, title: `Post ${at + 1}` }));
      await writeFile(database, JSON.stringify({ posts, orders: [], drafts: [], counter: { value: 0 } }));
      return { args: ["lib/cli/bin.js", database, "--host", "127.0.0.1", "--port", String(await freePort())] };
    },
    visit: openCustomers,
    editionOf: async ({ url }) => (await fetch(new URL("/posts/1", url), { headers: { connection: "close" } })).headers.get("x-edition") ?? "A",
  };
}

/** It writes its whole database for each change, so a run of any length stays within this. */
const mostOrders = 1000;

async function openCustomers({ url }: AppProcess): Promise<Customers> {
  const ledger = new IdLedger();
  let counter = 0;
  let bought = 0;
  // It says where it listens a moment before it does.
  while (!(await fetch(new URL("/posts/1", url), { headers: { connection: "close" } }).then((response) => response.ok, () => false)));

  function plan(i: number): RequestSpec {
    switch (i % 16) {
      case 0:
        bought += 1;
        if (bought > mostOrders) return { path: "/orders?_page=2&_limit=1" };
        return { path: "/orders", method: "POST", status: 201, body: { customer: `buyer-${i}` } };
      case 1:
      case 9:
        return { path: "/posts" };
      case 2:
      case 10:
        return { path: "/posts?_page=2&_limit=5" };
      case 3:
      case 11:
        return { path: "/posts?q=Post" };
      case 4:
        return { path: "/drafts", method: "POST", status: 201, body: { text: "soon gone" }, next: (made) => ({ path: `/drafts/${(made.json() as { id: number }).id}`, method: "DELETE" }) };
      case 5:
        counter += 1;
        return { path: "/counter", method: "PATCH", body: { value: counter } };
      default:
        return { path: `/posts/${(i % 20) + 1}` };
    }
  }

  function validate(response: LoadResponse, _i: number, spec: RequestSpec, allowed: ReadonlySet<string>): string | null {
    const edition = String(response.headers["x-edition"] ?? "A");
    if (!allowed.has(edition)) return `${spec.path} was answered by ${edition}, while ${[...allowed].join("+")} was live`;
    const body = response.json();
    if (spec.method === "POST" && spec.path === "/orders") return ledger.record(String((body as { id: unknown }).id));
    if (allowed.size > 1 || !spec.path.startsWith("/posts")) return null;
    const expected = answers[edition]!;
    const length = Array.isArray(body) ? body.length : null;
    if (spec.path === "/posts" && ("x-total-count" in response.headers) !== expected.total) return `${edition} ${expected.total ? "left out" : "sent"} the total`;
    if (spec.path.includes("_page") && length !== expected.page) return `a page of ${edition} holds ${length}`;
    if (/^\/posts\/\d+$/.test(spec.path) && (body as { fields?: number }).fields !== expected.fields) return `${edition} counts ${String((body as { fields?: number }).fields)} fields`;
    if (spec.path.includes("q=Post") && length !== expected.found) return `${edition} found ${length}`;
    return null;
  }

  async function leave(): ReturnType<Customers["leave"]> {
    const list = async (name: string): Promise<{ id: number }[]> => (await (await fetch(new URL(`/${name}`, url), { headers: { connection: "close" } })).json()) as { id: number }[];
    const { missing, unknown, doubled } = ledger.compare((await list("orders")).map(({ id }) => String(id)));
    const faults = [
      ...missing.map((id) => `order ${id} is lost`),
      ...unknown.map((id) => `nobody was told of order ${id}`),
      ...doubled.map((id) => `order ${id} was given out twice`),
      ...(await list("drafts")).map(({ id }) => `draft ${id} was deleted, and is there`),
    ];
    const { value } = (await (await fetch(new URL("/counter", url), { headers: { connection: "close" } })).json()) as { value: number };
    // Concurrent writers: the last to be served wins, which is one of the last that were sent.
    if (value < counter - 50 || value > counter) faults.push(`the counter says ${value}, and ${counter} was written last`);
    return { faults, figures: { orders: ledger.size } };
  }

  return { plan, validate, leave };
}

/** json-server prints the port it was told, so it cannot be told 0. */
