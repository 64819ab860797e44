import { reservedPrefix } from "@midflight/protocol";
import { startsItselfAgain } from "./lasting.ts";
import { boundNames, containsOwn, type FunctionNode, type Node } from "./syntax.ts";
import type { ResolvedStatement } from "./resolve-statement.ts";
import { referencesIn } from "./scope.ts";
import type { Site } from "./sites.ts";

/** Names that instrumented code uses beside guards and class doors. */
export const scratch: string = `${reservedPrefix}n`;
export const birthName: string = `${reservedPrefix}r`;
export const metaName: string = `${reservedPrefix}meta`;
export const agentName: string = `${reservedPrefix}m`;
export const handleName: string = `${reservedPrefix}h`;
export const bindName: string = `${reservedPrefix}b`;
/** A door. Its parameter is a name of ours: the code that comes through sees it. */
export const doorText: string = `${reservedPrefix}t=>eval(${reservedPrefix}t)`;
export const restName: string = `${reservedPrefix}x`;
export const doorName = (depth: number): string => `${reservedPrefix}d${depth}`;
export const paramName = (index: number): string => `${reservedPrefix}p${index}`;

/** How a function's parameters have to be treated so that a guard may stand before anything of them runs. */
export type ParamPlan = "plain" | "moved";

export function paramPlan(fn: FunctionNode): ParamPlan {
  const isArrow = fn.type === "ArrowFunctionExpression";
  const needsMove = fn.params.some((param) => !isPlain(param) || (isArrow && param.type === "AssignmentPattern"));
  return needsMove ? "moved" : "plain";
}

/** A parameter whose binding has no effect of its own, so that the guard sees the call as it was made. */
function isPlain(param: Node): boolean {
  if (param.type === "Identifier") return true;
  if (param.type === "RestElement") return param.argument.type === "Identifier";
  return param.type === "AssignmentPattern" && param.left.type === "Identifier" && isConstant(param.right);
}

function isConstant(node: Node): boolean {
  switch (node.type) {
    case "Literal":
      return true;
    case "Identifier":
      return node.name === "undefined";
    case "UnaryExpression":
      return node.argument.type === "Literal";
    case "ObjectExpression":
      return node.properties.length === 0;
    case "ArrayExpression":
      return node.elements.length === 0;
    default:
      return false;
  }
}

/** Why a function cannot carry a guard, in words for a verdict; null if a proved form exists (spec/instrument.md). */
export function formRefusal(site: Site, source: string, scopes: ResolvedStatement): string | null {
  const { fn, member } = site;
  if (member?.kind === "constructor") return "a constructor: live instances keep what the old one gave them";
  if (site.member === null && site.form === "method" && site.usesSuper) return "a method of an object literal that uses super";
  if (member !== null && member.computed && keyIsPrivate(member)) return "a computed private name";
  if (fn.type === "FunctionExpression" && fn.id && startsItselfAgain(fn, fn.id.name, fn)) return "a named function expression that hands itself on: its name would mean the new body, and stay with it";
  if (fn.generator && paramPlan(fn) === "moved") return "a generator whose parameters have effects: they run at the call, the body at the first next()";
  if (site.usesNewTarget && fn.generator) return "a generator that uses new.target";
  if (paramPlan(fn) === "moved") return movedRefusal(fn, source, scopes);
  return null;
}

function keyIsPrivate(member: Extract<Node, { type: "MethodDefinition" }>): boolean {
  return member.key.type === "PrivateIdentifier";
}

function movedRefusal(fn: FunctionNode, source: string, { references, bodyNames }: ResolvedStatement): string | null {
  const declaredInBody = bodyNames.get(fn);
  if (declaredInBody !== undefined) {
    const clash = referencesIn(references, fn.params[0]!.start, fn.params.at(-1)!.end).find((ref) => declaredInBody.has(ref.name));
    if (clash !== undefined) return `a parameter's default reads ${clash.name}, which the body declares again`;
  }
  const names = new Set(fn.params.flatMap((param) => boundNames(param)));
  const declared: string[] = [];
  if (fn.body.type === "BlockStatement") collectVars(fn.body, declared);
  if (declared.some((name) => names.has(name))) return "a parameter that the body declares again";
  for (const param of fn.params) {
    const text = source.slice(param.start, param.end);
    if (text.includes("\n") && /\/\/|`/.test(text)) return "a parameter whose default spans lines with a comment or a template";
    if (text.includes("import.meta")) return "a parameter whose default uses import.meta";
  }
  return null;
}

function collectVars(node: Node, out: string[]): void {
  if (node.type === "VariableDeclaration") for (const declarator of node.declarations) boundNames(declarator.id, out);
  else if (node.type === "FunctionDeclaration" && node.id) out.push(node.id.name);
  containsOwn(node, (inner) => {
    if (inner.type === "VariableDeclaration" && inner.kind === "var") for (const declarator of inner.declarations) boundNames(declarator.id, out);
    return false;
  });
  if (node.type === "BlockStatement") for (const statement of node.body) if (statement.type === "FunctionDeclaration") out.push(statement.id.name);
}

/**
 * The guard of a site: the first thing its function does. `args` is the argument list of an arrow.
 * `typeof` keeps a function alive that is turned into text and run where the variable does not exist.
 */
export function guardText(site: Site, shape: string, args: string): string {
  const { slot, fn, depth } = site;
  const call = depth === 0 ? `${slot}()` : `${slot}(${doorName(depth - 1)},"${shape}",${birthName})`;
  const test = `if(typeof ${slot}!=="undefined"&&(${scratch}=${call})!==undefined)`;
  if (fn.type === "ArrowFunctionExpression") return `${test}return ${scratch}(${args});`;
  if (site.usesNewTarget) return `${test}return new.target===undefined?${scratch}.apply(this,arguments):Reflect.construct(${scratch},arguments,new.target);`;
  return `${test}return ${fn.generator ? "yield* " : ""}${scratch}.apply(this,arguments);`;
}
