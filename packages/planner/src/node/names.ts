import type { UnitDetail } from "./analyze.ts";
import { isBuiltin } from "./app.ts";
import { knownGlobals } from "./globals.ts";
import { keptInStatement } from "./kept-in-statement.ts";
import type { Kept, Surroundings } from "./kept.ts";
import { moduleOf } from "./module-of.ts";
import { namesInStatement, type Call, type Source, type StatementNames, type Target } from "./statement-names.ts";
import { isFunction, type FunctionNode, type Node } from "./syntax.ts";

export { inspectKey, languageKey, spelledKey, wellKnownKey, type Source } from "./statement-names.ts";

/** Where the names and members of a unit get their values from. Over-approximates: more sources than there are, never fewer. */
export interface Names {
  readonly sources: ReadonlyMap<string, readonly Source[]>;
  /** Values given to a property of some object, by its key, but for functions that are sites. `spelledKey`: under one that is computed. */
  readonly members: ReadonlyMap<string, readonly Node[]>;
  /** Properties that are given something by an assignment. */
  readonly targets: readonly Target[];
  /** What each function stands in directly. */
  readonly parents: ReadonlyMap<FunctionNode, Node>;
  /** Expressions whose value is computed once and kept: `cache ??= build()`. */
  readonly kept: readonly Kept[];
  /** Names that are used other than by calling them, so that somebody else may call what they stand for. */
  readonly usedAsValue: ReadonlySet<string>;
  /** Properties that are read other than by calling them. "?" if one is computed. */
  readonly readMembers: ReadonlySet<string>;
  /** Calls of the helpers that apply decorators. */
  readonly decorations: readonly Call[];
  /** Getters of exports that only give what another name stands for: nobody calls them as `get`. */
  readonly getters: ReadonlySet<FunctionNode>;
}

const known = new WeakMap<UnitDetail, Names>();

export function namesOf(detail: UnitDetail): Names {
  let names = known.get(detail);
  if (names === undefined) known.set(detail, (names = new UnitNames(detail)));
  return names;
}

/** Joins what the statements of a unit say, each part when it is first asked for. */
class UnitNames implements Names {
  readonly #detail: UnitDetail;
  readonly #statements: readonly StatementNames[];
  #sources: Names["sources"] | null = null;
  #members: Names["members"] | null = null;
  #parents: Names["parents"] | null = null;
  #kept: Names["kept"] | null = null;
  #usedAsValue: Names["usedAsValue"] | null = null;
  #readMembers: Names["readMembers"] | null = null;

  constructor(detail: UnitDetail) {
    this.#detail = detail;
    this.#statements = detail.syntax.statements.map((statement) => namesInStatement(statement, detail));
  }

  get sources(): Names["sources"] {
    return (this.#sources ??= join(this.#statements.flatMap(({ sources }) => sources)));
  }

  get members(): Names["members"] {
    return (this.#members ??= join(this.#statements.flatMap(({ members }) => members)));
  }

  get targets(): Names["targets"] {
    return this.#statements.flatMap(({ targets }) => targets);
  }

  get parents(): Names["parents"] {
    const { program } = this.#detail;
    return (this.#parents ??= new Map(this.#statements.flatMap(({ parents }) => parents.map(([fn, parent]) => [fn, fn === parent ? program : parent] as const))));
  }

  get kept(): Names["kept"] {
    return (this.#kept ??= this.#findKept());
  }

  #findKept(): readonly Kept[] {
    const { facts, syntax } = this.#detail;
    const areAll = (name: string, test: (value: Node) => boolean): boolean => this.sources.get(name)?.every((source) => source.kind === "value" && test(source.node)) === true;
    const around: Surroundings = {
      isFresh: (name) => areAll(name, isMadeHere),
      isOwn: (name) => areAll(name, isOwn),
      isOfNode: (name) => isOfNode(name, this.#detail),
      valuesOf: (name) => this.sources.get(name)?.flatMap((source) => (source.kind === "value" ? [source.node] : [])) ?? [],
      declared: (name) => {
        const value = facts.declarations.get(name)?.value;
        return value && isFunction(value) ? [value] : [];
      },
      methods: (name) => facts.sites.all.flatMap(({ memberName, fn }) => (memberName === name ? [fn] : [])),
    };
    return this.#statements.flatMap(({ keeping }, at) => (keeping.length === 0 ? [] : keptInStatement(syntax.statements[at]!, keeping, this.#detail, around)));
  }

  get usedAsValue(): Names["usedAsValue"] {
    return (this.#usedAsValue ??= new Set(this.#detail.scopes.references.flatMap((ref) => (ref.role !== "call" && ref.role !== "export" && !ref.isWrite && !isNewCallee(ref.parent, ref.start) ? [ref.name] : []))));
  }

  get readMembers(): Names["readMembers"] {
    return (this.#readMembers ??= new Set(this.#statements.flatMap(({ readMembers }) => [...readMembers])));
  }

  get decorations(): Names["decorations"] {
    return this.#statements.flatMap(({ decorations }) => decorations);
  }

  get getters(): Names["getters"] {
    return new Set(this.#statements.flatMap(({ getters }) => getters));
  }
}

function isOfNode(name: string, detail: UnitDetail): boolean {
  if (!detail.facts.declarations.has(name) && !detail.facts.imports.has(name)) return knownGlobals.has(name) && !/^(globalThis|global|process)$/.test(name);
  const specifier = moduleOf(name, detail);
  return specifier !== null && isBuiltin(specifier);
}

function join<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, readonly T[]> {
  const map = new Map<string, T[]>();
  for (const [name, value] of entries) {
    const list = map.get(name);
    if (list === undefined) map.set(name, [value]);
    else list.push(value);
  }
  return map;
}

function isMadeHere({ type }: Node): boolean {
  return type === "ObjectExpression" || type === "ArrayExpression";
}

/** `this.cache`, `this.cache || {}`, `this.cache = …` */
function isOwn(node: Node): boolean {
  if (node.type === "AssignmentExpression") return isOwn(node.left);
  if (node.type === "LogicalExpression") return isOwn(node.left) && (isOwn(node.right) || isMadeHere(node.right));
  return node.type === "MemberExpression" && (node.object.type === "ThisExpression" || isOwn(node.object));
}

function isNewCallee(parent: Node, start: number): boolean {
  return parent.type === "NewExpression" && parent.callee.start === start;
}
