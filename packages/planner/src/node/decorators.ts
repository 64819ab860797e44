import type { UnitDetail } from "./analyze.ts";
import { calleeName } from "./callees.ts";
import { propertyOf } from "./exported.ts";
import { knownGlobals } from "./globals.ts";
import { namesOf } from "./names.ts";
import { boundNames, forEachChild, isFunction, type FunctionNode, type Node } from "./syntax.ts";

/** Properties of what a decorator is given that are no accessors of the class: a descriptor's, a context's, a function's. */
const plainProperties = /^(value|get|set|init|writable|enumerable|configurable|kind|name|static|private|metadata|constructor|prototype|length)$/;
/** The language's functions that read a description of what they are given. */
const readers = /^(String|Symbol|for|keys|getOwnPropertyNames|getOwnPropertyDescriptor|defineProperty|defineMetadata|getMetadata|getOwnMetadata|hasOwn|isArray|assign)$/;

/**
 * True if applying a decorator calls nothing of what it is given, and hands nothing of it to anybody who might: it
 * may wrap it, describe it and put it into a list or a map.
 */
export function isCalmDecorator(fn: FunctionNode): boolean {
  if (fn.async || fn.generator) return false;
  const given = new Set(fn.params.flatMap((param) => boundNames(param)));
  const inner = new Set<string>();
  let isCalm = true;
  let isMore = false;
  const mentions = (node: Node | null | undefined): boolean => {
    if (!node) return false;
    if (node.type === "Identifier") return given.has(node.name) || node.name === "arguments";
    if (node.type === "ThisExpression") return true;
    if (node.type === "Property" && !node.computed) return mentions(node.value);
    if (node.type === "MemberExpression" && !node.computed) return mentions(node.object);
    let found = false;
    forEachChild(node, (child) => (found ||= mentions(child)));
    return found;
  };
  const locals = localsOf(fn);
  const isLocal = (name: string): boolean => locals.has(name);
  const learn = (names: readonly string[], into: Set<string>): void => {
    for (const name of names) {
      if (into.has(name)) continue;
      into.add(name);
      isMore = true;
    }
  };
  const walk = (node: Node): void => {
    switch (node.type) {
      case "VariableDeclarator":
        if (node.init && isFunction(node.init)) learn(boundNames(node.id), inner);
        else if (mentions(node.init)) learn(boundNames(node.id), given);
        break;
      case "AssignmentExpression":
        if (node.left.type === "Identifier") {
          if (isFunction(node.right)) learn([node.left.name], inner);
          else if (mentions(node.right)) {
            learn([node.left.name], given);
            // A variable around the decorator: whoever calls it calls what is decorated.
            if (!isLocal(node.left.name)) isCalm = false;
          }
        } else if (node.left.type === "MemberExpression" && mentions(node.right) && !mentions(node.left.object)) isCalm = false;
        break;
      case "FunctionDeclaration":
        learn([node.id?.name ?? ""], inner);
        return;
      case "CallExpression":
      case "NewExpression":
        if (!isCalmCall(node)) isCalm = false;
        break;
      case "MemberExpression":
        if (mentions(node.object) && (node.computed || !(node.property.type === "Identifier" && plainProperties.test(node.property.name)))) isCalm = false;
        break;
      case "TaggedTemplateExpression":
      case "ForOfStatement":
      case "ForInStatement":
      case "SpreadElement":
      case "ClassDeclaration":
      case "ClassExpression":
        if (mentions(node)) isCalm = false;
        break;
      default:
        break;
    }
    forEachChild(node, (child) => {
      if (!isFunction(child) || child.type === "FunctionDeclaration") walk(child);
    });
  };
  const isCalmCall = ({ callee, arguments: args }: Extract<Node, { type: "CallExpression" | "NewExpression" }>): boolean => {
    const name = calleeName(callee);
    if (isFunction(callee) || mentions(callee) || (callee.type === "Identifier" && inner.has(callee.name))) return false;
    const isGiven = args.some((argument) => mentions(argument) || (argument.type === "Identifier" && inner.has(argument.name)));
    if (!isGiven) return true;
    const root = callee.type === "MemberExpression" ? callee.object : callee;
    const isLanguage = root.type === "Identifier" && knownGlobals.has(root.name) && !inner.has(root.name);
    if (isLanguage) return readers.test(name);
    // Put where the app can find it; a whole description would be found under other names.
    const [, , description] = fn.params;
    if (description?.type === "Identifier" && args.some((argument) => argument.type === "Identifier" && argument.name === description.name)) return false;
    return callee.type === "MemberExpression" && /^(push|set|add)$/.test(name);
  };
  do {
    isMore = false;
    walk(fn.body);
  } while (isMore);
  return isCalm;
}

/** Names that a function declares, parameters among them. */
function localsOf(fn: FunctionNode): ReadonlySet<string> {
  const names = new Set(fn.params.flatMap((param) => boundNames(param)));
  const walk = (node: Node): void => {
    if (node.type === "VariableDeclarator") for (const name of boundNames(node.id)) names.add(name);
    forEachChild(node, walk);
  };
  walk(fn.body);
  return names;
}

/** Functions that are written in others: what a decorator puts in the place of a method is one of those. */
export function functionsIn(fns: readonly FunctionNode[]): readonly FunctionNode[] {
  const out: FunctionNode[] = [];
  const walk = (node: Node): void => {
    if (isFunction(node)) out.push(node);
    forEachChild(node, walk);
  };
  for (const fn of fns) forEachChild(fn, walk);
  return out;
}

/** The functions that a factory of decorators returns; null if it may return others. */
export function returnedFunctions(fn: FunctionNode): readonly FunctionNode[] | null {
  if (fn.body.type !== "BlockStatement") return isFunction(fn.body) ? [fn.body] : null;
  const out: FunctionNode[] = [];
  let isAll = true;
  const locals = new Map<string, FunctionNode>();
  for (const statement of fn.body.body) if (statement.type === "FunctionDeclaration" && statement.id) locals.set(statement.id.name, statement);
  const walk = (node: Node): void => {
    if (node.type === "ReturnStatement") {
      const { argument } = node;
      const found = argument && isFunction(argument) ? argument : argument?.type === "Identifier" ? locals.get(argument.name) : undefined;
      if (found === undefined) isAll = false;
      else out.push(found);
    }
    forEachChild(node, (child) => {
      if (!isFunction(child)) walk(child);
    });
  };
  walk(fn.body);
  return isAll && out.length > 0 ? out : null;
}

/** What a call of a helper decorates: by which decorators, under which name; null where that cannot be told. */
export function decorated(name: string, args: readonly Node[], detail: UnitDetail): readonly Decorated[] | null {
  switch (name) {
    case "__esDecorate":
      return one(elementsOf(args[2], detail), propertyOf(args[3], "name"), literalOf(propertyOf(args[3], "kind")) === "method");
    case "__decorateElement":
      return one(elementsOf(args[3], detail), args[2], (Number(literalOf(args[1])) & 7) === 1);
    case "__decorateClass":
      return one(elementsOf(args[0], detail), args[2], literalOf(args[3]) === 1);
    case "__decorate":
    case "_ts_decorate":
      return one(elementsOf(args[0], detail), args[2], literalOf(args[3]) === null);
    default:
      return name.startsWith("_apply_decs") ? manyIn(args, detail) : null;
  }
}

export interface Decorated {
  readonly decorators: readonly Node[];
  /** Null for the class itself. */
  readonly key: string | null;
  /** A method; false for a field, or where that cannot be told. Of an accessor, a helper may say either. */
  readonly isMethod: boolean;
}

function literalOf(node: Node | null | undefined): unknown {
  return node?.type === "Literal" ? node.value : undefined;
}

function one(decorators: readonly Node[] | null, key: Node | null | undefined, isMethod: boolean): readonly Decorated[] | null {
  if (decorators === null || (key && key.type !== "Literal")) return null;
  return [{ decorators, key: key?.type === "Literal" ? String(key.value) : null, isMethod }];
}

/** `_apply_decs(class, [[decorators, kind, name], …], decorators)` */
function manyIn([, members, own]: readonly Node[], detail: UnitDetail): readonly Decorated[] | null {
  const all: Decorated[] = [];
  const decorators = elementsOf(own, detail);
  if (members?.type !== "ArrayExpression" || decorators === null) return null;
  for (const member of members.elements) {
    if (member?.type !== "ArrayExpression") return null;
    const [given, kind, key] = member.elements;
    const isMethod = Number(literalOf(kind)) % 5 === 2;
    const found = given?.type === "ArrayExpression" ? one(elementsOf(given, detail), key, isMethod) : given && given.type !== "SpreadElement" ? one([given], key, isMethod) : null;
    if (found === null) return null;
    all.push(...found);
  }
  return decorators.length === 0 ? all : [...all, { decorators, key: null, isMethod: false }];
}

/** Members of a list that is written here, or of the one that a name stands for. */
function elementsOf(node: Node | undefined, detail: UnitDetail): readonly Node[] | null {
  if (node?.type === "ArrayExpression") return node.elements.every((element) => element !== null && element.type !== "SpreadElement") ? node.elements.filter((element) => element !== null) : null;
  if (node?.type !== "Identifier") return null;
  const sources = namesOf(detail).sources.get(node.name) ?? [];
  const lists = sources.map((source) => (source.kind === "value" && source.node.type === "ArrayExpression" ? elementsOf(source.node, detail) : null));
  return lists.length === 0 || lists.includes(null) ? null : lists.flatMap((list) => list ?? []);
}
