/** One module at one moment. Everything that a text says is in here, so that answers can be foretold. */
interface ModuleState {
  /** In every body. */
  readonly revision: number;
  /** Value of a constant. */
  readonly rate: number;
  /** A function that comes and goes. */
  readonly hasExtra: boolean;
  /** A `let` that comes and goes; what it counted is found again. In one module only: where one goes while another comes, it may be the same under another name, and is refused. */
  readonly hasHits: boolean;
  /** A method of a class with a living instance, that comes and goes. */
  readonly hasTwice: boolean;
  /** An import of a module that comes and goes. */
  readonly hasBonus: boolean;
}

/** The code of the app at one moment. */
export interface AppState {
  readonly modules: readonly ModuleState[];
}

export const moduleCount = 12;
const bonusValue = 41;

const first: ModuleState = { revision: 0, rate: 1, hasExtra: false, hasHits: false, hasTwice: false, hasBonus: false };

export const firstState: AppState = { modules: Array.from({ length: moduleCount }, () => first) };

/** The kinds of edits, taken in turn: each is a rung or a part of one. */
const edits: readonly (readonly [name: string, apply: (module: ModuleState, n: number) => ModuleState])[] = [
  ["bodies", (module, n) => ({ ...module, revision: n })],
  ["constant", (module, n) => ({ ...module, rate: n })],
  ["function", (module) => ({ ...module, hasExtra: !module.hasExtra })],
  ["binding", (module) => ({ ...module, hasHits: !module.hasHits })],
  ["method", (module) => ({ ...module, hasTwice: !module.hasTwice })],
  ["module", (module) => ({ ...module, hasBonus: !module.hasBonus })],
];

/** Edit number `n`: the kinds in turn, on one to three modules that `random` chooses. */
export function editNumber(n: number, { modules }: AppState, random: () => number): AppState {
  const [name, apply] = edits[n % edits.length]!;
  const chosen = name === "binding" ? new Set([0]) : new Set(Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * modules.length)));
  return { modules: modules.map((module, i) => (chosen.has(i) ? apply(module, n) : module)) };
}

/** The files of the app. A file that is not named is not there. */
export function filesOf({ modules }: AppState): Readonly<Record<string, string>> {
  return {
    "package.json": '{ "name": "many", "type": "module" }\n',
    "src/server.js": serverText,
    ...(modules.some(({ hasBonus }) => hasBonus) && { "src/bonus.js": `export const bonus = ${bonusValue};\n` }),
    ...Object.fromEntries(modules.map((module, i) => [`src/m${i}.js`, textOf(module, `hits${i}`)])),
  };
}

function textOf({ revision, rate, hasExtra, hasHits, hasTwice, hasBonus }: ModuleState, hits: string): string {
  return `${hasBonus ? 'import { bonus } from "./bonus.js";\n' : ""}const rate = ${rate};
${hasHits ? `let ${hits} = 0;\n` : ""}${hasExtra ? `function extra() {\n  return ${revision} + rate;\n}\n` : ""}
class Counter {
  total = 0;
  read() {
    this.total += 1;
    return "${revision}:" + this.total;
  }
${hasTwice ? "  twice() {\n    return this.total * 2;\n  }\n" : ""}}
const counter = new Counter();

function plug(list) {
  let calls = 0;
  list.push(() => {
    calls += 1;
    return "${revision}/" + calls;
  });
}
const handlers = [];
plug(handlers);

export function answer() {
  return [${revision}, rate, ${hasExtra ? "extra()" : "null"}, ${hasHits ? `(${hits} += 1)` : "null"}, counter.read(), ${hasTwice ? "counter.twice()" : "null"}, handlers[0](), ${hasBonus ? "bonus" : "null"}];
}
`;
}

const serverText = `import http from "node:http";
${Array.from({ length: moduleCount }, (_, i) => `import { answer as a${i} } from "./m${i}.js";`).join("\n")}

const server = http.createServer((request, response) => {
  if (request.url === "/heap") {
    for (let i = 0; i < 4; i++) globalThis.gc();
    return response.end(JSON.stringify(process.memoryUsage()));
  }
  response.end(JSON.stringify([${Array.from({ length: moduleCount }, (_, i) => `a${i}()`).join(", ")}]));
});
server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
`;

/** Foretells what a process answers that has seen every question so far. */
export class Oracle {
  readonly #asked: { calls: number; hits: number }[] = Array.from({ length: moduleCount }, () => ({ calls: 0, hits: 0 }));

  next({ modules }: AppState): readonly (readonly unknown[])[] {
    return modules.map(({ revision, rate, hasExtra, hasHits, hasTwice, hasBonus }, i) => {
      const seen = this.#asked[i]!;
      seen.calls += 1;
      if (hasHits) seen.hits += 1;
      return [revision, rate, hasExtra ? revision + rate : null, hasHits ? seen.hits : null, `${revision}:${seen.calls}`, hasTwice ? seen.calls * 2 : null, `${revision}/${seen.calls}`, hasBonus ? bonusValue : null];
    });
  }
}
