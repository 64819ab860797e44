import { detailOf, findOrigin, resolveUnit, type AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { isExportOnlyCalled, isReadMember } from "./members.ts";
import { namesOf, spelledKey, wellKnownKey, type Names } from "./names.ts";
import { isFunction, keyName, type FunctionNode, type Node } from "./syntax.ts";

/** What names and expressions of a unit stand for, as far as its text tells. */
export class Lookup {
  readonly #app: AppShape;
  readonly #unit: string;
  readonly #detail: UnitDetail;
  readonly #names: Names;

  constructor(app: AppShape, unit: string, detail: UnitDetail) {
    this.#app = app;
    this.#unit = unit;
    this.#detail = detail;
    this.#names = namesOf(detail);
  }

  /** The binding behind an import; null for a package's, and, after `byProperty` was told, for one of a CommonJS unit. */
  originOf(specifier: string, imported: string, byProperty: (key: string) => void): { readonly unit: string; readonly local: string } | null {
    const unit = resolveUnit(this.#app, this.#unit, specifier);
    if (unit === null || imported === "*") return null;
    const origin = findOrigin(this.#app, unit, imported);
    if (origin.kind === "binding") return origin;
    // CommonJS: the name is a property of whatever it exports.
    byProperty(imported);
    return null;
  }

  functionOf(node: Node): FunctionNode | null {
    if (isFunction(node)) return node;
    if (node.type !== "Identifier") return null;
    const imported = this.#detail.facts.imports.get(node.name);
    if (imported !== undefined) {
      const unit = resolveUnit(this.#app, this.#unit, imported.specifier);
      const origin = unit === null ? null : findOrigin(this.#app, unit, imported.imported);
      return origin?.kind === "binding" ? (detailOf(this.#app, origin.unit)?.facts.byKey.get(origin.local)?.fn ?? null) : null;
    }
    return this.#detail.facts.byKey.get(node.name)?.fn ?? null;
  }

  /**
   * True if a function is only ever called by its name: what it gets for its parameters is what those calls say, and
   * functions given to it there are taken to be called there.
   */
  isOnlyCalled(fn: FunctionNode): boolean {
    const parent = this.#names.parents.get(fn);
    if (fn.type === "FunctionDeclaration" && fn.id) return this.#isNameOnlyCalled(fn.id.name);
    switch (parent?.type) {
      case "VariableDeclarator":
        return parent.id.type === "Identifier" && this.#isNameOnlyCalled(parent.id.name);
      case "MethodDefinition":
        return parent.kind === "constructor" || !isReadMember(this.#app, keyName(parent.key, parent.computed) ?? "?");
      case "NewExpression":
        return parent.callee.type === "Identifier" && parent.callee.name === "Promise";
      default:
        return false;
    }
  }

  #isNameOnlyCalled(name: string): boolean {
    if (this.#names.usedAsValue.has(name)) return false;
    const { exports } = this.#detail.facts;
    for (const binding of exports.values()) if (binding.kind === "local" && binding.local === name) return isExportOnlyCalled(this.#app, this.#unit, name);
    return true;
  }

  keyOf(node: Extract<Node, { type: "MemberExpression" }>): string {
    if (!node.computed) return keyName(node.property, false) ?? "?";
    const { property } = node;
    if (property.type === "Literal") return String(property.value);
    const symbol = property.type === "Identifier" ? this.symbolNamed(property.name) : null;
    if (symbol !== null) return symbol;
    const wellKnown = wellKnownKey(property);
    if (wellKnown !== null) return wellKnown;
    if (property.type === "UpdateExpression" || (property.type === "BinaryExpression" && property.operator !== "+")) return "0";
    return "?";
  }

  /** The key of members under a symbol that the app made, if that is what a name stands for: nothing else has it. */
  symbolNamed(name: string): string | null {
    const { facts, scopes } = this.#detail;
    if (scopes.byName.get(name)?.every((ref) => ref.where === "module") !== true) return null;
    const imported = facts.imports.get(name);
    if (imported !== undefined) {
      const unit = resolveUnit(this.#app, this.#unit, imported.specifier);
      const origin = unit === null ? null : findOrigin(this.#app, unit, imported.imported);
      return origin?.kind === "binding" ? symbolConst(detailOf(this.#app, origin.unit), origin.unit, origin.local) : null;
    }
    const declaration = facts.declarations.get(name);
    if (declaration?.isPattern !== true) return symbolConst(this.#detail, this.#unit, name);
    // `const { kRun } = require("./constants")`
    const [source, ...others] = this.#names.sources.get(name) ?? [];
    return declaration.kind === "const" && others.length === 0 && source?.kind === "member" && source.of !== null ? this.#symbolOf(source.of, source.key) : null;
  }

  #symbolOf(object: Node, key: string): string | null {
    if (object.type !== "CallExpression" || object.callee.type !== "Identifier" || object.callee.name !== "require") return null;
    const [specifier] = object.arguments;
    const unit = specifier?.type === "Literal" ? resolveUnit(this.#app, this.#unit, String(specifier.value)) : null;
    const detail = unit === null ? null : detailOf(this.#app, unit);
    const [value, ...others] = detail === null ? [] : (namesOf(detail).members.get(key) ?? []);
    if (unit === null || detail === null || value === undefined || others.length > 0) return null;
    if (value.type === "Identifier") return symbolConst(detail, unit, value.name);
    return isSymbolCall(value, detail) ? `${symbolMark}${unit} ${value.start}` : null;
  }

  /** True for a name that only ever counts: reading there finds an element, and runs no getter. */
  isIndex(property: Node): boolean {
    if (property.type !== "Identifier") return property.type === "UpdateExpression" || (property.type === "Literal" && typeof property.value === "number");
    const sources = this.#names.sources.get(property.name);
    return sources !== undefined && sources.every((source) => source.kind === "value" && isNumber(source.node));
  }

  /** True if what is taken is surely in a list or an object literal: what is there was seen to be put there. */
  isElement({ object, property }: Extract<Node, { type: "MemberExpression" }>): boolean {
    if (this.isIndex(property)) return true;
    if (object.type !== "Identifier") return object.type === "ObjectExpression";
    const sources = this.#names.sources.get(object.name);
    return sources !== undefined && sources.every((source) => source.kind === "value" && (source.node.type === "ObjectExpression" || source.node.type === "ArrayExpression"));
  }
}

/** Begins the key of a member under a symbol: no name of a property begins so. */
export const symbolMark: string = spelledKey;

function symbolConst(detail: UnitDetail | null, unit: string, name: string): string | null {
  const declaration = detail?.facts.declarations.get(name);
  const isSymbol = detail !== null && declaration?.kind === "const" && !declaration.isPattern && declaration.value !== null && isSymbolCall(declaration.value, detail);
  return isSymbol ? `${symbolMark}${unit} ${declaration.value.start}` : null;
}

/** `Symbol("kRun")`, by the language's own `Symbol`. */
function isSymbolCall(node: Node, { scopes }: UnitDetail): boolean {
  return node.type === "CallExpression" && node.callee.type === "Identifier" && node.callee.name === "Symbol" && scopes.byName.get("Symbol")?.every((ref) => ref.where === "global") === true;
}

function isNumber(node: Node): boolean {
  if (node.type === "Literal") return typeof node.value === "number";
  return node.type === "BinaryExpression" && ["-", "*", "/", "%", ">>", ">>>", "|"].includes(node.operator);
}
