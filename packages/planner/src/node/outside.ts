import { isBuiltin, resolveUnit, type AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { calleeName, isPlainData } from "./callees.ts";
import type { ImportBinding } from "./facts.ts";
import { knownGlobals } from "./globals.ts";
import { helperOf } from "./helpers.ts";
import { namesOf, type Names, type Source } from "./names.ts";
import { keyName, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

/** The language's functions that make a list or a text, whatever they are given. */
const makesListOrText = /^(Buffer\.(from|alloc|allocUnsafe|concat)|Array\.(from|of)|Object\.(keys|getOwnPropertyNames)|JSON\.stringify|String\.(raw|fromCharCode|fromCodePoint)|Math\.\w+|Date\.now)$/;
/** Methods of lists and texts that give another list or text. */
const givesListOrText = /^(concat|slice|map|filter|flat|flatMap|sort|toSorted|reverse|toReversed|split|join|trim|toLowerCase|toUpperCase|replace|replaceAll|substring|toString)$/;

const known = new WeakMap<AppShape, ReadonlySet<string>>();

/** Names of properties that the app gives to what is not its own: `http.mine = …`, `list.find = …`. */
function givenToOthers(app: AppShape): ReadonlySet<string> {
  const found = known.get(app);
  if (found !== undefined) return found;
  const given = new Set<string>();
  // What asks while it is being found finds what there is so far.
  known.set(app, given);
  for (const [unit, { detail }] of app.units) {
    if (detail === null) continue;
    const outside = new Outside(app, unit, detail);
    for (const { object, key } of namesOf(detail).targets) if (!given.has(key) && outside.isValue(object)) given.add(key);
  }
  return given;
}

/** Tells which values in a unit surely do not come from the app: they are the language's, Node's or a package's. */
export class Outside {
  readonly #app: AppShape;
  readonly #unit: string;
  readonly #imports: ReadonlyMap<string, ImportBinding>;
  readonly #names: Names;
  readonly #detail: UnitDetail;
  readonly #following = new Set<Node>();

  constructor(app: AppShape, unit: string, detail: UnitDetail) {
    this.#app = app;
    this.#detail = detail;
    this.#unit = unit;
    this.#imports = detail.facts.imports;
    this.#names = namesOf(detail);
  }

  /** True if the callee surely is a function of Node's or of a package. */
  isFunction(callee: Node): boolean {
    if (callee.type === "MemberExpression") return this.isValue(callee.object);
    if (callee.type === "ChainExpression") return this.isFunction(callee.expression);
    if (callee.type !== "Identifier") return false;
    const imported = this.#imports.get(callee.name);
    if (imported !== undefined) return this.#isSpecifier(imported.specifier);
    if (!this.#names.sources.has(callee.name)) return knownGlobals.has(callee.name) || callee.name === "require";
    return this.#names.sources.get(callee.name)!.every((source) => this.#isOutsideName(source));
  }

  /** True if the object surely is a module of Node's or of a package, or a part of one. */
  isModule(node: Node): boolean {
    if (node.type === "MemberExpression") return this.isModule(node.object);
    if (node.type !== "Identifier") return this.#isRequire(node);
    const imported = this.#imports.get(node.name);
    if (imported !== undefined) return this.#isSpecifier(imported.specifier);
    const sources = this.#names.sources.get(node.name);
    return sources !== undefined && sources.every((source) => source.kind === "value" && this.#isRequire(source.node));
  }

  #isSpecifier(specifier: string): boolean {
    if (isBuiltin(specifier)) return true;
    const unit = resolveUnit(this.#app, this.#unit, specifier);
    if (unit === null) return true;
    // A unit that is not instrumented and imports nothing of the app's is as good as a package.
    const analysis = this.#app.units.get(unit)!;
    return analysis.detail === null && analysis.imports.every((inner) => resolveUnit(this.#app, unit, inner.specifier) === null);
  }

  /** `const { createServer } = require("node:http")` is as good as an import. */
  #isOutsideName(source: Source): boolean {
    if (source.kind === "member") return source.of !== null && this.#isRequire(source.of);
    return source.kind === "value" && this.#isOutsideSource(source.node);
  }

  /** `require("pino")`, `Object.defineProperty`: a function of somebody else's under a name of the unit's own. */
  #isOutsideSource(node: Node): boolean {
    if (this.#following.has(node)) return true;
    this.#following.add(node);
    const isOutside = this.#isRequire(node) || this.#isMade(node) || ((node.type === "MemberExpression" || node.type === "Identifier") && this.isFunction(node));
    this.#following.delete(node);
    return isOutside;
  }

  /** `require("debug")("app")`: what a package made of plain data. */
  #isMade(node: Node): boolean {
    return node.type === "CallExpression" && this.#isRequire(node.callee) && node.arguments.every((argument) => isPlainData(argument));
  }

  /** `http.METHODS`, and no property of that name is ever given by the app. */
  #isPart(object: Node, key: string): boolean {
    return this.isModule(object) && !givenToOthers(this.#app).has(key);
  }

  /** `methods.concat("all")`, `METHODS.map((name) => name.toLowerCase())`: a list, or a text, of what is nobody's own. */
  #isListed({ callee, arguments: given }: Call): boolean {
    if (callee.type === "MemberExpression" && callee.object.type === "Identifier" && !this.#names.sources.has(callee.object.name) && makesListOrText.test(`${callee.object.name}.${calleeName(callee)}`)) return true;
    return callee.type === "MemberExpression" && givesListOrText.test(keyName(callee.property, callee.computed) ?? "?") && this.isValue(callee.object) && given.every((argument) => isPlainData(argument));
  }

  #isRequire(node: Node): boolean {
    if (node.type === "MemberExpression") return this.#isRequire(node.object);
    if (node.type !== "CallExpression") return false;
    const [specifier] = node.arguments;
    // What a compiler puts around it, so that a module of either kind looks the same.
    if (specifier !== undefined && helperOf(node.callee, this.#detail) === "pass") return this.#isRequire(specifier);
    if (node.callee.type !== "Identifier" || node.callee.name !== "require") return false;
    return specifier?.type === "Literal" && typeof specifier.value === "string" && this.#isSpecifier(specifier.value);
  }

  /** True if what is taken out of an object surely is none of the app's: it is not its object, and nothing of that name was put there. */
  isMember({ object, property, computed }: Extract<Node, { type: "MemberExpression" }>): boolean {
    const key = keyName(property, computed);
    return this.isValue(object) && (key === null || !givenToOthers(this.#app).has(key));
  }

  /** True if an object surely has no method of the app's: a global, a package, what a package made of plain data. */
  isValue(node: Node): boolean {
    if (this.#following.has(node)) return true;
    this.#following.add(node);
    try {
      switch (node.type) {
        case "Literal":
        case "TemplateLiteral":
        case "ArrayExpression":
        case "BinaryExpression":
        case "UnaryExpression":
        case "UpdateExpression":
          return true;
        case "ConditionalExpression":
          return this.isValue(node.consequent) && this.isValue(node.alternate);
        case "Identifier": {
          const imported = this.#imports.get(node.name);
          if (imported !== undefined) return this.#isSpecifier(imported.specifier);
          const sources = this.#names.sources.get(node.name);
          if (sources === undefined) return node.name !== "globalThis" && node.name !== "global" && node.name !== "module" && node.name !== "exports" && knownGlobals.has(node.name);
          return sources.every((source) => (source.kind === "value" ? this.isValue(source.node) : source.kind === "member" && source.of !== null && this.#isPart(source.of, source.key)));
        }
        case "AwaitExpression":
          return this.isValue(node.argument);
        case "ChainExpression":
          return this.isValue(node.expression);
        case "MemberExpression": {
          // A global's property (`process.stdout`, `Array.prototype`), or a field that is only ever given such values.
          if (node.object.type === "Identifier" && !this.#names.sources.has(node.object.name) && this.isMember(node)) return true;
          const key = keyName(node.property, node.computed);
          if (key !== null && this.#isPart(node.object, key)) return true;
          const values = key === null ? undefined : this.#names.members.get(key);
          return key?.startsWith("#") === true && values !== undefined && values.every((value) => this.isValue(value));
        }
        case "NewExpression":
        case "CallExpression":
          if (this.#isRequire(node)) return true;
          if (node.callee.type === "Identifier" && node.callee.name === "require") return false;
          if (this.#isMade(node) || this.#isListed(node)) return true;
          return node.callee.type === "Identifier" && this.isFunction(node.callee) && (isGlobalMaker(node, this.#names) || node.arguments.every((argument) => isPlainData(argument)));
        default:
          return false;
      }
    } finally {
      this.#following.delete(node);
    }
  }
}

/** `new Map(…)`: what is in it may be the app's; its own methods are not. */
function isGlobalMaker(node: Call, names: Names): boolean {
  return node.type === "NewExpression" && node.callee.type === "Identifier" && !names.sources.has(node.callee.name) && knownGlobals.has(node.callee.name) && node.callee.name !== "Proxy";
}


