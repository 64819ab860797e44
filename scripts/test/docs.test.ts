import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { execFileSync } from "node:child_process";
import { analyzeUnit, planTransition, type AppShape } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";
import { withMeasured } from "../../bench/measured/write.ts";
import { rooms } from "../rooms/rooms.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8");
const pages = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && fs.existsSync(path.join(root, file)));

/** The text without fenced code, whose brackets are no links. */
function proseOf(file: string): string {
  return read(file).replace(/^```[\s\S]*?^```/gm, "");
}

/** The names that headings get as anchors. */
function anchorsOf(file: string): Set<string> {
  const headings = [...proseOf(file).matchAll(/^#+ +(.+?) *$/gm)].map((match) => match[1]!);
  return new Set(headings.map((heading) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")));
}

function tableRows(text: string): string[][] {
  return text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---")).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

function sectionOf(file: string, heading: string): string {
  const section = proseOf(file).split(/^## /m).find((one) => one.startsWith(`${heading}\n`));
  assert.ok(section !== undefined, `${file} has no section ${heading}`);
  return section;
}

describe("the documentation", () => {
  test("links only to what is there, also within a page", () => {
    assert.ok(pages.length > 10, `only ${pages.length} pages found`);
    const broken = pages.flatMap((page) =>
      [...proseOf(page).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].flatMap(([, target]) => {
        if (/^[a-z]+:/.test(target!)) return [];
        const [file = "", anchor] = target!.split("#");
        const full = file === "" ? page : path.normalize(path.join(path.dirname(page), file));
        if (!fs.existsSync(path.join(root, full))) return [`${page} → ${target}`];
        return anchor === undefined || anchorsOf(full).has(anchor) ? [] : [`${page} → ${target}`];
      }),
    );
    assert.deepEqual(broken, []);
  });

  test("has each decision under its number, with context, decision and consequences", () => {
    const decisions = pages.filter((page) => page.startsWith("docs/adr/"));
    assert.ok(decisions.length > 10, `only ${decisions.length} decisions found`);
    const numbers = decisions.map((page) => path.basename(page).slice(0, 4));
    assert.deepEqual(numbers.filter((number, at) => numbers.indexOf(number) !== at), [], "two decisions have one number");
    for (const page of decisions) {
      assert.ok(read(page).startsWith(`# ${path.basename(page).slice(0, 4)} · `), page);
      for (const part of ["Context", "Decision", "Consequences"]) assert.match(read(page), new RegExp(`^\\*\\*${part}\\.\\*\\* `, "m"), page);
    }
  });

  test("has a decision for each package of others that is loaded", () => {
    const decision = read("docs/adr/0001-third-party-packages-are-few-and-none-is-in-the-app.md");
    const others = Object.values(rooms).flatMap((room) => room?.others ?? []);
    assert.deepEqual(others.filter((name) => !decision.includes(`\`${name}\``)), []);
  });

  test("explains no error that nothing gives", () => {
    const sources = execFileSync("git", ["ls-files", "packages/*/src/*.ts"], { cwd: root, encoding: "utf8" }).trim().split("\n")
      .filter((file) => !/(protocol\/src\/error|explain\/error-pages|output\/exit-code)\.ts$/.test(file)).map(read).join("\n");
    const codes = [...read("docs/errors.md").matchAll(/^## ([A-Z_]+)$/gm)].map((match) => match[1]!);
    assert.ok(codes.length > 30, `only ${codes.length} codes found`);
    assert.deepEqual(codes.filter((code) => !sources.includes(`"${code}"`)), []);
  });

  test("names only source files that exist", () => {
    const missing = pages.flatMap((page) =>
      [...read(page).matchAll(/`((?:packages\/)?([a-z][a-z-]*)\/src\/[\w/.-]+\.ts|scripts\/[\w/.-]+\.(?:mjs|ts))`/g)].flatMap(([, file, room]) => {
        const isRoom = room !== undefined && room in rooms && !file!.startsWith("packages/");
        return fs.existsSync(path.join(root, isRoom ? "packages" : "", file!)) ? [] : [`${page}: ${file}`];
      }),
    );
    // The shop's own files are named as its readers see them.
    assert.deepEqual(missing.filter((one) => !one.startsWith("examples/shop/")), []);
  });

  test("has each page of the specification that the sources name", () => {
    const sources = execFileSync("git", ["ls-files", "packages/*/src/**/*.ts", "packages/*/src/*.ts"], { cwd: root, encoding: "utf8" }).trim().split("\n");
    const named = sources.filter((file) => fs.existsSync(path.join(root, file))).flatMap((file) => [...read(file).matchAll(/\b(?:spec|docs)\/[\w/-]+\.md\b/g)].map(([page]) => `${file}: ${page}`));
    assert.ok(named.length > 3, `only ${named.length} found`);
    assert.deepEqual(named.filter((one) => !fs.existsSync(path.join(root, one.split(": ")[1]!))), []);
  });

  test("shows the rooms as they are enforced", () => {
    const rows = new Map(tableRows(sectionOf("ARCHITECTURE.md", "Rooms")).map(([name, , ours, others]) => [name!.replaceAll("`", ""), { ours: ours!, others: others! }]));
    const listed = (cell: string): string[] => (cell.startsWith("–") || cell.startsWith("none") ? [] : cell.split(",").map((one) => one.trim()));
    for (const [name, room] of Object.entries(rooms)) {
      const row = rows.get(name);
      assert.ok(row !== undefined, `ARCHITECTURE.md does not list ${name}`);
      if (room === null) {
        assert.equal(row.ours, "anything", name);
        continue;
      }
      const [imports = "", starts = ""] = row.ours.split(";");
      assert.deepEqual(listed(imports).sort(), room.ours.map((one) => one.replace("@midflight/", "")).sort(), name);
      assert.deepEqual(listed(starts.replace(/^ *starts /, "")).filter((one) => one !== ""), (room.starts ?? []).map((one) => one.replace("@midflight/", "")), name);
      assert.deepEqual(listed(row.others).sort(), [...room.others].sort(), name);
    }
    assert.deepEqual([...rows.keys()].slice(1), [...rows.keys()].slice(1).filter((name) => name in rooms));
  });

  test("says of what was measured what the kept results say, to the digit", () => {
    assert.ok(read("README.md") === withMeasured(read("README.md")), "they differ; run: npx node bench/measured/write.ts");
    const benches = new Set(tableRows(sectionOf("README.md", "Measured")).slice(1).map(([, , bench]) => bench!.replaceAll("`", "")));
    const kept = fs.readdirSync(path.join(root, "bench/results")).filter((file) => !file.endsWith(".local.json")).map((file) => path.basename(file, ".json"));
    assert.deepEqual([...benches].filter((bench) => !kept.includes(bench)), []);
  });

  test("tells people to run only commands that exist", () => {
    const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);
    const help = execFileSync(process.execPath, ["--conditions=@midflight/source", path.join(root, "packages/midflight/src/main.ts"), "--help"], { encoding: "utf8" });
    const commands = [...help.split("Commands:")[1]!.matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1]!);
    assert.ok(commands.includes("rollback"), help);
    let checked = 0;
    for (const page of pages) {
      const code = [...read(page).matchAll(/^```(?:sh|console)\n([\s\S]*?)^```|`([^`\n]+)`/gm)].map((match) => match[1] ?? match[2]!).join("\n");
      for (const [, script] of code.matchAll(/\bnpm run ([\w:-]+)/g)) {
        checked += 1;
        const own = path.join(root, path.dirname(page), "package.json");
        const known = fs.existsSync(own) ? Object.keys((JSON.parse(fs.readFileSync(own, "utf8")) as { scripts?: object }).scripts ?? {}) : [];
        assert.ok(scripts.includes(script!) || known.includes(script!), `${page}: npm run ${script}`);
      }
      for (const [, command] of code.matchAll(/\bmidflight (?:-C \S+ )?([a-z]+)\b/g)) {
        checked += 1;
        assert.ok(commands.includes(command!) || command === "explain", `${page}: midflight ${command}`);
      }
      for (const [, bench] of page === "README.md" ? tableRows(sectionOf(page, "Measured")).map((row) => row[2]!).join("\n").matchAll(/`([a-z-]+)`/g) : []) {
        checked += 1;
        assert.match(read("bench/catalogue.ts"), new RegExp(`\\b"?${bench}"?\\b`), `${page}: bench ${bench}`);
      }
    }
    assert.ok(checked > 20, `only ${checked} commands found`);
  });
});

const hash = (bytes: Uint8Array | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const app = {
  "server.js": `import { discount } from "./discount.js";
const RATES = { DE: 19, FR: 20 };
let served = 0;
export function price(country, cents) {
  served += 1;
  return cents + RATES[country] - discount(cents);
}
export class Cart {
  open = true;
  constructor(id) {
    this.id = id;
  }
  total(cents) {
    return price("DE", cents);
  }
}
export function checkout(req, next) {
  const due = price("DE", req.cents);
  req.ask((isPaid) => next(isPaid ? due : 0));
}
export class Till {
  beep() {
    return "beep";
  }
}
const routes = new Map();
routes.set("/", () => String(served));
setInterval(() => price("DE", 0), 1000);
`,
  "poll.js": `let polls = import.meta.hot?.data.polls ?? 0;
const timer = setInterval(() => {
  polls += 1;
}, 1000);
import.meta.hot?.dispose((data) => {
  clearInterval(timer);
  data.polls = polls;
});
import.meta.hot?.accept();
`,
  "discount.js": 'import labels from "./labels.json" with { type: "json" };\nexport function discount(cents) {\n  return cents > 100 ? 10 : 0;\n}\nexport const label = () => labels.discount;\n',
};

interface State {
  readonly units: Readonly<Record<string, string>>;
  readonly asset?: string;
  readonly labels?: string;
  /** Version of a package. */
  readonly ms?: string;
}

function shapeOf({ units, asset = "1", labels = '{"discount":"less"}', ms = "2.0.0" }: State): AppShape {
  const analyses = Object.entries(units).map(([file, source]) => [file, analyzeUnit(file, source, "esm", hash)] as const);
  return { units: new Map(analyses), assets: new Map([["rates.json", { digest: hash(asset), inert: false }], ["labels.json", { digest: hash(labels), inert: false }]]), texts: new Map([["labels.json", labels]]), lock: hash(ms), dependencies: { locked: new Map([["node_modules/ms", { name: "ms", version: ms, content: "" }]]), installed: null } };
}

function edited(file: keyof typeof app, find: string, replacement: string, more: Readonly<Record<string, string>> = {}): State {
  assert.equal(app[file].split(find).length, 2, find);
  return { units: { ...app, [file]: app[file].replace(find, () => replacement), ...more } };
}

/** For each row of the table: edits of that kind. */
const editsOfRow: Readonly<Record<string, readonly State[]>> = {
  "a comment, the formatting": [edited("server.js", "let served", "/* since the start */ let served"), edited("discount.js", "  return", "    return")],
  "the body of a function or method": [edited("discount.js", "? 10", "? 20"), edited("server.js", 'price("DE", cents)', 'price("FR", cents)')],
  "the body of a closure: a route's handler, a timer's callback": [edited("server.js", "String(served)", "String(served + 1)"), edited("server.js", 'price("DE", 0)', 'price("FR", 0)')],
  "the text around callbacks by which a request goes on (`next`)": [edited("server.js", 'price("DE", req.cents)', 'price("FR", req.cents)')],
  "parameters and their defaults": [edited("discount.js", "(cents)", "(cents, least = 5)")],
  "a new function or constant, called by a changed one": [edited("server.js", "export function price(country, cents) {", "const FEE = 5;\nfunction fee() {\n  return FEE;\n}\nexport function price(country, cents) {\n  cents += fee();")],
  "a new module, imported by a changed one": [edited("discount.js", "export function discount(cents) {", 'import { least } from "./least.js";\nexport function discount(cents) {\n  cents += least();', { "least.js": "export function least() {\n  return 5;\n}\n" })],
  "a new class": [edited("discount.js", "export function", "export class Coupon {\n  used = false;\n}\nexport function")],
  "a method added to a class without fields": [edited("server.js", "  beep() {", "  hum() {\n    return 'hum';\n  }\n  beep() {")],
  "a method that goes": [edited("server.js", '  beep() {\n    return "beep";\n  }\n', "")],
  "another value of a constant or a table that nothing has changed since": [edited("server.js", "FR: 20", "FR: 21, IT: 22")],
  "the value of a JSON file that the code imports": [{ units: app, labels: '{"discount":"off"}' }],
  "a timer's interval, the first value of a `let`, a statement, in a module that declares [hooks](guides/reload.md)": [edited("poll.js", "1000", "500"), edited("poll.js", "?? 0", "?? 100"), edited("poll.js", "import.meta.hot?.accept", "console.log(polls);\nimport.meta.hot?.accept")],
  "the first value of a `let`": [edited("server.js", "served = 0", "served = 100")],
  "a field of a class, its constructor or a method that this calls, what it extends": [edited("server.js", "open = true", "open = false"), edited("server.js", "this.id = id", "this.id = String(id)"), edited("server.js", "class Till", "class Till extends Map")],
  "code at the top level: a new route, a timer's interval": [edited("server.js", "setInterval", 'routes.set("/x", () => "x");\nsetInterval'), edited("server.js", "1000", "500")],
  "an import of a package that may not be loaded yet": [edited("discount.js", "export function discount(cents) {", 'import fastify from "fastify";\nexport function discount(cents) {\n  cents += fastify.length;')],
  "another version of a package": [{ units: app, ms: "2.1.0" }],
  "a data file that the code may have read": [{ units: app, asset: "2" }],
};

describe("what goes live", () => {
  const rows = tableRows(sectionOf("docs/concepts.md", "What goes live, and what does not")).slice(1);
  const boot = shapeOf({ units: app });

  test("has an edit here for each row, and a row for each edit", () => {
    assert.deepEqual(rows.map(([edit]) => edit), Object.keys(editsOfRow));
  });

  for (const [edit = "", rung = ""] of rows) {
    test(`${edit}: ${rung.slice(2)}`, () => {
      for (const state of editsOfRow[edit] ?? []) {
        const plan = planTransition({ boot, target: shapeOf(state), hash });
        assert.equal(plan.rung, rung.split(" ")[1], JSON.stringify(plan.verdicts));
      }
    });
  }
});
