import type { UnitDetail } from "./analyze.ts";
import { namesOf } from "./names.ts";
import { referencesIn } from "./scope.ts";
import type { Site } from "./sites.ts";
import { boundNames, forEachChild, isFunction, type Node } from "./syntax.ts";

interface Around {
  readonly detail: UnitDetail;
  readonly outer: Site;
}

/**
 * True if a closure says the same in two texts of the function around it, and so does everything there that decides
 * what it has captured: one that was made before is what the newer text would have made of the same.
 */
export function capturesTheSame(before: Around, after: Around, former: Site, site: Site): boolean {
  if (!isSameText(before, after, former, site) || handedTo(before, former) !== handedTo(after, site) || /\barguments\b/.test(textOf(before, former.fn))) return false;
  const names = new Set([before, after].flatMap(({ detail }, i) => localNamesIn(detail, (i === 0 ? former : site).fn)));
  // What decides a captured name may itself be decided by others, and what it is may be changed by way of others.
  for (const name of names) for (const around of [before, after]) for (const other of [...namesDeciding(around, name), ...namesFrom(around, name)]) names.add(other);
  const isDecidedAlike = (name: string): boolean => {
    const then = textsOn(before, name);
    return then !== null && then === textsOn(after, name);
  };
  return [...names].every(isDecidedAlike) && paramsOf(before, names) === paramsOf(after, names);
}

/** True if a closure captures nothing at all, and the newer text hands the same one to the same call, wherever that stands now. */
export function standsAlone(before: Around, after: Around, former: Site, site: Site): boolean {
  if (!isSameText(before, after, former, site)) return false;
  // Parts of a template, and what a property is called, are taken for names: that errs to the safe side.
  const isAlone = ({ detail }: Around, { fn }: Site): boolean => localNamesIn(detail, fn).length === 0 && !/\b(this|arguments|super|new\.target)\b/.test(textOf({ detail }, fn));
  const [call, now] = [before, after].map(({ detail }, i) => namesOf(detail).parents.get((i === 0 ? former : site).fn));
  return isAlone(before, former) && isAlone(after, site) && call?.type === "CallExpression" && now?.type === "CallExpression" && textOf(before, call) === textOf(after, now);
}

/** The call that a closure is handed to; empty if it is handed to none. */
function handedTo({ detail }: Around, { fn }: Site): string {
  const call = namesOf(detail).parents.get(fn);
  return call?.type === "CallExpression" || call?.type === "NewExpression" ? textOf({ detail }, call) : "";
}

function isSameText(before: Around, after: Around, former: Site, site: Site): boolean {
  return textOf(before, former.fn) === textOf(after, site.fn);
}

function textOf({ detail }: Pick<Around, "detail">, { start, end }: Node): string {
  return detail.text.normalise(start, end);
}

function localNamesIn({ scopes }: UnitDetail, { start, end }: Node): string[] {
  return referencesIn(scopes.references, start, end).flatMap(({ name, where }) => (where === "local" ? [name] : []));
}

/** The parameters up to the last that is captured: a default may read those before it. */
function paramsOf({ detail, outer: { fn } }: Around, names: ReadonlySet<string>): string {
  const last = fn.params.findLastIndex((param) => boundNames(param).some((name) => names.has(name)));
  return fn.params.slice(0, last + 1).map((param) => textOf({ detail }, param)).join(",");
}

function isGiven({ outer }: Around, name: string): boolean {
  return !localsOf(outer).has(name) || outer.fn.params.some((param) => boundNames(param).includes(name));
}

/**
 * Every statement that says something of a local; of a parameter, or of what is further out, only those that give it
 * another value. Null if that happens after it was made: whether it is come to depends on all that may leave before.
 */
function textsOn(around: Around, name: string): string | null {
  const saying = leavesOf(around.outer).filter(({ node }) => (isGiven(around, name) ? defines(node, name) : mentions(node, name)));
  const giving = saying.filter(({ node }) => defines(node, name, true));
  if (giving.length > 1 || giving.some(({ node, guards }) => !node.type.endsWith("Declaration") || assigns(node, name) || (node.type === "VariableDeclaration" && node.kind === "var" && guards.length > 0))) return null;
  return saying.map(({ node, guards }) => [...guards, node].map((part) => textOf(around, part)).join("\n")).join("\n");
}

function namesDeciding({ detail, outer }: Around, name: string): string[] {
  return leavesOf(outer).flatMap(({ node, guards }) => (defines(node, name) ? [...guards, node].flatMap((part) => localNamesIn(detail, part)) : []));
}

/** Other names for what a local holds, or for what is in it. */
function namesFrom(around: Around, name: string): string[] {
  if (isGiven(around, name)) return [];
  const own = [...localsOf(around.outer)];
  return leavesOf(around.outer).flatMap(({ node }) => (mentions(node, name) ? own.filter((other) => other !== name && defines(node, other)) : []));
}

/** A statement without others inside, and the expressions that decide whether it runs, and how often. */
interface Leaf {
  readonly node: Node;
  readonly guards: readonly Node[];
}

const leaves = new WeakMap<Node, readonly Leaf[]>();

function leavesOf({ fn }: Site): readonly Leaf[] {
  let found = leaves.get(fn);
  if (found !== undefined) return found;
  const all: Leaf[] = [];
  const walk = (node: Node, guards: readonly Node[]): void => {
    if (!/^(Block|If|For|ForOf|ForIn|While|DoWhile|Try|Switch|Labeled)Statement$|^(CatchClause|SwitchCase)$/.test(node.type)) {
      all.push({ node, guards });
      return;
    }
    // What is no statement here, or stands at a loop's head, decides over the rest.
    const own: Node[] = [];
    const isList = node.type === "BlockStatement" || node.type === "SwitchCase";
    forEachChild(node, (child) => {
      if (!/Statement$|^(CatchClause|SwitchCase)$/.test(child.type) && !(isList && child.type.endsWith("Declaration"))) own.push(child);
    });
    forEachChild(node, (child) => walk(child, [...guards, ...own]));
  };
  walk(fn.body, []);
  leaves.set(fn, (found = all));
  return found;
}

/** `isOwn`: leave out what functions in it do, whenever they are called. */
function defines(leaf: Node, name: string, isOwn = false): boolean {
  let found = false;
  const walk = (node: Node): void => {
    if (isOwn && isFunction(node) && node.type !== "FunctionDeclaration") return;
    if (node.type === "VariableDeclarator" && boundNames(node.id).includes(name)) found = true;
    else if (node.type === "AssignmentExpression" && (boundNames(node.left).includes(name) || rootName(node.left) === name)) found = true;
    else if (node.type === "UpdateExpression" && rootName(node.argument) === name) found = true;
    else if ((node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") && node.id?.name === name) found = true;
    if (!found) forEachChild(node, walk);
  };
  if (leaf.type === "Identifier" && leaf.name === name) return true;
  walk(leaf);
  return found;
}

/** True if it gives a value to a name that it does not declare, or not only. */
function assigns(leaf: Node, name: string): boolean {
  let found = false;
  const walk = (node: Node): void => {
    if (isFunction(node)) return;
    const target = node.type === "AssignmentExpression" ? node.left : node.type === "UpdateExpression" ? node.argument : null;
    if (target !== null && (boundNames(target).includes(name) || rootName(target) === name)) found = true;
    if (!found) forEachChild(node, walk);
  };
  walk(leaf);
  return found;
}

function rootName(node: Node): string | null {
  let root = node;
  while (root.type === "MemberExpression") root = root.object;
  return root.type === "Identifier" ? root.name : null;
}

function mentions(node: Node, name: string): boolean {
  if (node.type === "Identifier") return node.name === name;
  let found = false;
  forEachChild(node, (child) => {
    if (!found && mentions(child, name)) found = true;
  });
  return found;
}

/** All names that a function declares, at any depth but for other functions' own. */
function boundIn(fn: Site["fn"]): string[] {
  const names = fn.params.flatMap((param) => boundNames(param));
  const walk = (node: Node): void => {
    if (node.type === "VariableDeclarator") names.push(...boundNames(node.id));
    else if (node.type === "CatchClause") names.push(...boundNames(node.param));
    else if ((node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") && node.id) names.push(node.id.name);
    if (!isFunction(node)) forEachChild(node, walk);
  };
  walk(fn.body);
  return names;
}

function localsOf({ fn }: Site): ReadonlySet<string> {
  return new Set(boundIn(fn));
}
