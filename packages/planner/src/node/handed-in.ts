import { detailOf, type AppShape } from "./app.ts";
import { calleeName } from "./callees.ts";
import { namesOf } from "./names.ts";
import type { Site } from "./sites.ts";
import { forEachChild, isFunction, type Node } from "./syntax.ts";

interface Given {
  readonly unit: string;
  readonly node: Node;
}

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

/**
 * `wrap(key, build) { if (!map.has(key)) map.set(key, build()); }`: what the calls of `wrap` hand in as `build`, for a
 * piece of code that calls it. Also where a call only hands on what its own function was handed.
 */
export function handedInFor(app: AppShape, unit: string, code: Node): readonly Given[] {
  const found: Given[] = [];
  const seen = new Set<Node>();
  const waiting: Given[] = [{ unit, node: code }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const given of argumentsFor(app, next.unit, next.node)) {
      if (seen.has(given.node)) continue;
      seen.add(given.node);
      found.push(given);
      waiting.push(given);
    }
  }
  return found;
}

function argumentsFor(app: AppShape, unit: string, code: Node): Given[] {
  const detail = detailOf(app, unit)!;
  const { sources, parents } = namesOf(detail);
  const found: Given[] = [];
  for (const name of calledIn(code)) {
    for (const source of sources.get(name) ?? []) {
      if (source.kind !== "param" || source.fn.start > code.start || source.fn.end < code.end) continue;
      const site = detail.facts.byFunction.get(source.fn);
      const parent = parents.get(source.fn);
      const called = nameOf(site, source.fn, parent);
      if (called === null) continue;
      for (const call of callsOf(app, called)) {
        const spread = call.node.arguments.find((argument) => argument.type === "SpreadElement");
        const argument = spread ?? call.node.arguments[source.index];
        if (argument) found.push({ unit: call.unit, node: argument });
      }
    }
  }
  return found;
}

function nameOf(site: Site | undefined, fn: Node, parent: Node | undefined): string | null {
  if (site?.memberName) return site.memberName;
  if (isFunction(fn) && fn.type !== "ArrowFunctionExpression" && fn.id) return fn.id.name;
  if (parent?.type === "VariableDeclarator" && parent.id.type === "Identifier") return parent.id.name;
  return site?.member?.kind === "constructor" ? site.className : null;
}

/** Names that a piece of code calls, or is. */
function calledIn(code: Node): ReadonlySet<string> {
  const names = new Set<string>();
  if (code.type === "Identifier") names.add(code.name);
  const walk = (node: Node): void => {
    if (node.type === "CallExpression") {
      if (node.callee.type === "Identifier") names.add(node.callee.name);
      // `build.call(this)`, `retry(build)`
      if (node.callee.type === "MemberExpression" && node.callee.object.type === "Identifier") names.add(node.callee.object.name);
      for (const argument of node.arguments) if (argument.type === "Identifier") names.add(argument.name);
    }
    forEachChild(node, walk);
  };
  walk(code);
  return names;
}

const known = new WeakMap<AppShape, Map<string, { readonly unit: string; readonly node: Call }[]>>();

/** All calls in the app by a name, or by a property's name. */
function callsOf(app: AppShape, name: string): readonly { readonly unit: string; readonly node: Call }[] {
  let calls = known.get(app);
  if (calls === undefined) {
    const all = new Map<string, { readonly unit: string; readonly node: Call }[]>();
    known.set(app, (calls = all));
    for (const [unit, { detail }] of app.units) {
      if (detail === null) continue;
      const walk = (node: Node): void => {
        if (node.type === "CallExpression" || node.type === "NewExpression") {
          const called = calleeName(node.callee);
          const list = all.get(called);
          if (list === undefined) all.set(called, [{ unit, node }]);
          else list.push({ unit, node });
        }
        forEachChild(node, walk);
      };
      walk(detail.program);
    }
  }
  return calls.get(name) ?? [];
}
