import type { UnitDetail } from "./analyze.ts";
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
  const textOf = ({ detail }: Around, { fn }: Site): string => detail.text.normalise(fn.start, fn.end);
  if (textOf(before, former) !== textOf(after, site)) return false;
  const names = new Set([...capturedBy(before, former), ...capturedBy(after, site)]);
  // What decides a captured name may itself be decided by others.
  for (const name of names) for (const around of [before, after]) for (const other of namesDeciding(around, name)) names.add(other);
  return [...names].every((name) => textsOn(before, name) === textsOn(after, name)) && paramsOf(before, names) === paramsOf(after, names);
}

/** Names of the functions around it that a closure uses. */
function capturedBy({ detail }: Around, { fn }: Site): string[] {
  const own = new Set(boundIn(fn));
  return localNamesIn(detail, fn).filter((name) => !own.has(name));
}

function localNamesIn({ scopes }: UnitDetail, { start, end }: Node): string[] {
  return referencesIn(scopes.references, start, end).flatMap(({ name, where }) => (where === "local" ? [name] : []));
}

/** The parameters, as far as they are captured. */
function paramsOf({ detail, outer: { fn } }: Around, names: ReadonlySet<string>): string {
  return fn.params.map((param) => (boundNames(param).some((name) => names.has(name)) ? detail.text.normalise(param.start, param.end) : "")).join(",").replace(/,+$/, "");
}

/** Every statement that says something of a local; of a parameter, or of what is further out, only those that give it another value. */
function textsOn({ detail, outer }: Around, name: string): string {
  const isGiven = !localsOf(outer).has(name) || outer.fn.params.some((param) => boundNames(param).includes(name));
  const textOf = ({ node, guards }: Leaf): string => [...guards, node].map((part) => detail.text.normalise(part.start, part.end)).join("\n");
  const all = leavesOf(outer);
  const saying = all.filter(({ node }) => (isGiven ? defines(node, name) : mentions(node, name)));
  // Where it gets another value later, whether that is come to depends on what leaves the function before.
  const isVarying = saying.some(({ node }) => !/Declaration$/.test(node.type) && defines(node, name));
  return (isVarying ? all.filter((leaf) => saying.includes(leaf) || isJump(leaf.node)) : saying).map(textOf).join("\n");
}

function namesDeciding({ detail, outer }: Around, name: string): string[] {
  return leavesOf(outer).flatMap(({ node, guards }) => (defines(node, name) ? [...guards, node].flatMap((part) => localNamesIn(detail, part)) : []));
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
    forEachChild(node, (child) => {
      if (!/Statement$|^(CatchClause|SwitchCase)$/.test(child.type)) own.push(child);
    });
    forEachChild(node, (child) => walk(child, [...guards, ...own]));
  };
  walk(fn.body, []);
  leaves.set(fn, (found = all));
  return found;
}

function isJump({ type }: Node): boolean {
  return /^(Return|Throw|Break|Continue)Statement$/.test(type);
}

function defines(leaf: Node, name: string): boolean {
  let found = false;
  const walk = (node: Node): void => {
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
