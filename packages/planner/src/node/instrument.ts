import { Edits, type Edit } from "./edits.ts";
import { agentName, bindName, birthName, doorName, doorText, guardText, handleName, metaName, paramName, paramPlan, restName, scratch } from "./forms.ts";
import { classDoorName, type Site, type Sites } from "./sites.ts";
import { calleeName } from "./callees.ts";
import { declarationOf } from "./hooks.ts";
import { isOnTheSpot } from "./closures.ts";
import { boundNames, compact, forEachChild, isFunction, type Format, type FunctionNode, type Node } from "./syntax.ts";
import { StatementMemo, type Syntax } from "./statements.ts";
import type { Program } from "acorn";

/** Version of the forms. Artifacts of different versions never share a transition. */
export const instrumentationVersion = 2;

/** Where an agent puts its hook; its last part counts up with what units expect of it. */
export const hookSymbol = "midflight.agent.v1";

/** Where the parts of a site stand in the artifact. */
export interface Placement {
  /** The function from its first to its last character. */
  readonly start: number;
  readonly end: number;
  /** The guard inside it; empty if it has none. */
  readonly guardStart: number;
  readonly guardEnd: number;
}

export interface Instrumented {
  readonly artifact: string;
  /** Position in the artifact of a position in the source. */
  readonly map: (position: number) => number;
  readonly placements: ReadonlyMap<Site, Placement>;
  /** The door inserted into each class, by binding. */
  readonly classDoors: ReadonlyMap<string, readonly [start: number, end: number]>;
}

interface Placed {
  paren: Edit | null;
  guard: Edit | null;
  close: Edit | null;
}

/**
 * Adds guards, doors and the registration to a unit. No line is added or removed; without an agent the unit
 * behaves as before. `shapes`: per nested site, what its enclosing text must be. `hasHooks`: its top level can run again.
 */
export function instrument(
  unit: string, source: string, format: Format, { program, statements }: Syntax, sites: Sites, shapes: ReadonlyMap<Site, string>, sourceTag: string, hasHooks: boolean,
): Instrumented {
  const edits = new Edits(source);
  insertPreamble(edits, unit, source, format, program, sites, sourceTag, hasHooks);
  if (hasHooks) openConstants(edits, program);
  // `import.meta` cannot stand in text that is compiled later; a variable can.
  for (const { marks } of statements) for (const meta of marks.metas) edits.replace(meta.start, meta.end, metaName);
  for (const statement of statements) bindCallbacks(edits, memo.get(statement) ?? memo.set(statement, callbacksIn(statement.node)));
  const placed = new Map<Site, Placed>();
  for (const site of sites.all) placed.set(site, insertGuard(edits, source, site, shapes.get(site) ?? ""));
  const doors = [...sites.classes].map(([binding, node]) => [binding, edits.insert(node.body.start + 1, classDoorText(binding))] as const);
  const artifact = edits.apply();
  const placements = new Map<Site, Placement>();
  for (const [site, { paren, guard, close }] of placed) {
    const start = paren !== null && paren.start === site.fn.start ? paren.artifactStart : edits.map(site.fn.start);
    const end = close === null ? edits.mapEnd(site.fn.end) : close.artifactEnd;
    placements.set(site, { start, end, guardStart: guard?.artifactStart ?? start, guardEnd: guard?.artifactEnd ?? start });
  }
  const classDoors = new Map(doors.map(([binding, edit]) => [binding, [edit.artifactStart, edit.artifactEnd] as const]));
  return { artifact, map: (position) => edits.map(position), placements, classDoors };
}

/** Opens a class's private scope, and tells the agent that the class exists now. */
function classDoorText(binding: string): string {
  return `static{if(typeof ${handleName}!=="undefined"&&${handleName}!==undefined){${classDoorName(binding)}=${doorText};${handleName}(${JSON.stringify(binding)},this)}}`;
}

function insertPreamble(edits: Edits, unit: string, source: string, format: Format, program: Program, sites: Sites, sourceTag: string, hasHooks: boolean): void {
  const names = [scratch, `${birthName}=""`, ...sites.all.filter((s) => s.refusal === null).map((s) => s.slot), ...[...sites.classes.keys()].map(classDoorName)];
  const meta = format === "esm" ? `${metaName}=import.meta,` : "";
  const place = format === "esm" ? `${metaName}.url` : "__filename";
  const hot = hasHooks ? `;if(${handleName}!==undefined)${format === "esm" ? metaName : "module"}.hot=${handleName}.hot` : "";
  const text = `var ${names.join(",")},${meta}${agentName}=globalThis[Symbol.for("${hookSymbol}")],` +
    `${handleName}=${agentName}===undefined?undefined:${agentName}.add(${JSON.stringify(unit)},"${sourceTag}",${place},${doorText}${hasHooks ? ",true" : ""})${hot};function ${bindName}(f){return ${agentName}===undefined?f:${agentName}.bind(f)}`;
  const { at, isAfterDirective } = prologueEnd(source, program.body, source.startsWith("#!") ? source.indexOf("\n") + 1 : 0);
  edits.insert(at, isAfterDirective ? `;${text}` : text);
}

/** What the top level of a unit with hooks binds is bound anew when it runs again; its importers see that through their own bindings. */
function openConstants(edits: Edits, program: Program): void {
  for (const statement of program.body) {
    const declaration = declarationOf(statement);
    if (declaration?.kind === "const") edits.replace(declaration.start, declaration.start + "const".length, "let  ");
  }
}

/**
 * A function that is written as an argument is called by whoever got it: a pool, an emitter, the connection of another
 * request. Bound, it stays with the request that made it. What has a name is left alone: its maker may compare it.
 */
function bindCallbacks(edits: Edits, callbacks: readonly Node[]): void {
  for (const { start, end } of callbacks) {
    edits.insert(start, `(typeof ${bindName}==="undefined"?f=>f:${bindName})(`);
    edits.close(end, ")");
  }
}

const memo = new StatementMemo<readonly Node[]>();

function callbacksIn(statement: Node): readonly Node[] {
  const found: Node[] = [];
  const walk = (node: Node, depth: number): void => {
    if (depth > 0 && (node.type === "CallExpression" || node.type === "NewExpression") && !isOnTheSpot(calleeName(node.callee))) {
      for (const argument of node.arguments) if (isFunction(argument) && (argument.type === "ArrowFunctionExpression" || !argument.id)) found.push(argument);
    }
    const inner = isFunction(node) ? depth + 1 : depth;
    forEachChild(node, (child) => walk(child, inner));
  };
  walk(statement, 0);
  return compact(found);
}

/** The place after a body's directives: what stands before them would switch them off. */
function prologueEnd(source: string, body: readonly Node[], start: number): { at: number; isAfterDirective: boolean } {
  let at = start;
  let isAfterDirective = false;
  for (const statement of body) {
    if (statement.type !== "ExpressionStatement" || statement.directive === undefined) break;
    at = statement.end;
    isAfterDirective = source[at - 1] !== ";";
  }
  return { at, isAfterDirective };
}

function insertGuard(edits: Edits, source: string, site: Site, shape: string): Placed {
  const { fn } = site;
  if (site.refusal !== null) return { paren: null, guard: null, close: null };
  const isMoved = paramPlan(fn) === "moved";
  const { args, moved, paren } = prepareParams(edits, source, fn, isMoved);
  const guard = guardText(site, shape, args.join(","));
  const door = site.hasDoor ? `const ${doorName(site.depth)}=${doorText};` : "";
  if (fn.body.type === "BlockStatement") {
    const { at, isAfterDirective } = prologueEnd(source, fn.body.body, fn.body.start + 1);
    if (isAfterDirective) edits.insert(at, ";");
    const guardEdit = edits.insert(at, guard);
    insertMoved(edits, at, moved);
    if (door !== "") edits.insert(at, door);
    return { paren, guard: guardEdit, close: null };
  }
  const at = arrowAt(source, fn) + 2;
  edits.insert(at, "{");
  const guardEdit = edits.insert(at, guard);
  insertMoved(edits, at, moved);
  edits.insert(at, `${door}return(`);
  return { paren, guard: guardEdit, close: edits.close(fn.end, ")}") };
}

interface MovedPart {
  readonly text: string;
  /** Source range that stands in `text` from `offset` on; null for text of ours. */
  readonly from: { readonly start: number; readonly end: number } | null;
}

function insertMoved(edits: Edits, at: number, parts: readonly MovedPart[]): void {
  if (parts.length === 0) return;
  const edit = edits.insert(at, parts.map((part) => part.text).join(""));
  let offset = 0;
  for (const part of parts) {
    if (part.from !== null) edits.move(part.from.start, part.from.end, edit, offset);
    offset += part.text.length;
  }
}

/** Renames parameters with effects and moves their binding into the body, in order, so that they keep their dead zone. */
function prepareParams(edits: Edits, source: string, fn: FunctionNode, isMoved: boolean): { args: string[]; moved: MovedPart[]; paren: Edit | null } {
  const args: string[] = [];
  const moved: MovedPart[] = [];
  const isArrow = fn.type === "ArrowFunctionExpression";
  const ours = (text: string): MovedPart => ({ text, from: null });
  const theirs = (node: Node): MovedPart => ({ text: source.slice(node.start, node.end).replace(/\r?\n/g, (nl) => " ".repeat(nl.length)), from: node });
  fn.params.forEach((param, index) => {
    if (!isMoved) {
      args.push(param.type === "RestElement" ? `...${boundNames(param)[0]!}` : boundNames(param)[0]!);
      return;
    }
    const name = paramName(index);
    const lines = "\n".repeat(source.slice(param.start, param.end).split("\n").length - 1);
    if (param.type === "RestElement") {
      args.push(`...${name}`);
      moved.push(ours("let "), theirs(param.argument), ours(`=${name};`));
      edits.replace(param.start, param.end, `...${name}${lines}`);
    } else if (param.type === "AssignmentPattern") {
      args.push(name);
      moved.push(ours("let "), theirs(param.left), ours(`=${name}===void 0?(`), theirs(param.right), ours(`):${name};`));
      edits.replace(param.start, param.end, `${name}=void 0${lines}`);
    } else {
      args.push(name);
      moved.push(ours("let "), theirs(param), ours(`=${name};`));
      edits.replace(param.start, param.end, name + lines);
    }
  });
  const paren = isArrow && fn.params.at(-1)?.type !== "RestElement" ? addRest(edits, source, fn, args) : null;
  return { args, moved, paren };
}

/** An arrow has no `arguments`: a rest parameter hands on what the call passed beyond its parameters. */
function addRest(edits: Edits, source: string, fn: FunctionNode, args: string[]): Edit | null {
  args.push(`...${restName}`);
  const last = fn.params.at(-1);
  const arrow = arrowAt(source, fn);
  if (last === undefined) {
    edits.insert(source.lastIndexOf(")", arrow), `...${restName}`);
    return null;
  }
  const closing = closingParen(source, last.end, arrow);
  if (closing === -1) {
    const paren = edits.insert(last.start, "(");
    edits.insert(last.end, `,...${restName})`);
    return paren;
  }
  const hasComma = /,\s*$/.test(withoutComments(source.slice(last.end, closing)));
  edits.insert(closing, hasComma ? `...${restName}` : `,...${restName}`);
  return null;
}

/** Position of an arrow function's `=>`: the first after its parameters that is not in a comment. */
function arrowAt(source: string, fn: FunctionNode): number {
  const from = fn.params.at(-1)?.end ?? fn.start;
  return from + withoutComments(source.slice(from, fn.body.start)).indexOf("=>");
}

function closingParen(source: string, from: number, to: number): number {
  const between = withoutComments(source.slice(from, to));
  const at = between.indexOf(")");
  return at === -1 ? -1 : from + at;
}

/** Comments as spaces, so that what they say is not taken for code. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, " "));
}
