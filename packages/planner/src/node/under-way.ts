import type { UnitDetail } from "./analyze.ts";
import { detailOf, type AppShape } from "./app.ts";
import { calleeName } from "./callees.ts";
import { Lookup } from "./lookup.ts";
import { namesOf } from "./names.ts";
import { forEachChild, isFunction, keyName, type Node } from "./syntax.ts";

interface Uses {
  /** Properties that code uses which may be suspended, or was handed on to run once, soon: it goes on with its text after a swap. */
  readonly underWay: ReadonlySet<string>;
  /** Methods that are called only if they are there, and texts: `x.stop?.()`, `"stop" in x`. */
  readonly asked: ReadonlySet<string>;
  /** It lists the properties of objects, or calls them by names that are made up: where. */
  readonly lists: string | null;
}

const known = new WeakMap<UnitDetail, Uses>();

function usesOf(app: AppShape, unit: string, detail: UnitDetail): Uses {
  let found = known.get(detail);
  if (found === undefined) known.set(detail, (found = collect(app, unit, detail)));
  return found;
}

function collect(app: AppShape, unit: string, detail: UnitDetail): Uses {
  const underWay = new Set<string>();
  const asked = new Set<string>();
  const { byFunction } = detail.facts;
  const lookup = new Lookup(app, unit, detail);
  let lists: string | null = null;
  const walk = (node: Node, goesOn: boolean): void => {
    let inside = goesOn;
    if (isFunction(node)) inside = node.async || node.generator || !byFunction.has(node);
    else if (node.type === "MemberExpression") {
      const key = keyName(node.property, node.computed);
      if (key !== null && goesOn) underWay.add(key);
    } else if (node.type === "Property" && goesOn && node.value.type !== "Literal") underWay.add(keyName(node.key, node.computed) ?? "?");
    else if (node.type === "Literal" && typeof node.value === "string") asked.add(node.value);
    else if (node.type === "CallExpression") {
      const { callee } = node;
      if (node.optional) asked.add(calleeName(callee));
      if (/^(getOwnPropertyNames|getOwnPropertyDescriptors?|ownKeys|hasOwn|hasOwnProperty)$/.test(calleeName(callee)) && node.arguments.at(-1)?.type !== "Literal") lists ??= `${unit}:${detail.lines.of(node.start)}`;
      if (callee.type === "MemberExpression" && callee.computed && callee.property.type !== "Literal" && !lookup.isElement(callee)) lists ??= `${unit}:${detail.lines.of(node.start)}`;
    }
    forEachChild(node, (child) => walk(child, inside));
  };
  walk(detail.program, true);
  return { underWay, asked, lists };
}

/** True if a call that began before a swap may still use a member of that name after it, other than in a request. */
export function mayBeUnderWay(app: AppShape, name: string): boolean {
  for (const unit of app.units.keys()) {
    const detail = detailOf(app, unit);
    if (detail === null || usesOf(app, unit, detail).underWay.has(name)) return true;
  }
  return false;
}

/** Who would find a member of that name that should not be there: a place, or null. */
export function whoLooksFor(app: AppShape, name: string): string | null {
  for (const unit of app.units.keys()) {
    const detail = detailOf(app, unit);
    if (detail === null) return unit;
    const uses = usesOf(app, unit, detail);
    if (uses.asked.has(name) || namesOf(detail).readMembers.has(name)) return unit;
    if (uses.lists !== null) return uses.lists;
  }
  return null;
}
