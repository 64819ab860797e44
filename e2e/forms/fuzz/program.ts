import * as fc from "fast-check";

/** An expression; what it refers to is an item by its number, printed as 0 where there is no such item. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "param" }
  | { readonly kind: "use"; readonly item: number; readonly argument: Expression }
  | { readonly kind: "sum"; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "list"; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "map"; readonly item: Expression }
  | { readonly kind: "choice"; readonly test: Expression; readonly right: Expression };

export const itemKinds = [
  "function", "arrow", "default", "async", "generator", "table", "list", "derived", "counter", "class", "subclass", "object", "closure", "curried", "handler", "kept", "keptBy", "hook", "alias", "cache",
  "constructor", "members", "arity", "named", "keeper", "coerced", "getter", "position", "memo", "selfChanging", "lasting", "listener", "construct",
] as const;
export type ItemKind = (typeof itemKinds)[number];

/** One declaration, or a group that belongs together. */
export interface Item {
  readonly id: number;
  readonly kind: ItemKind;
  readonly unit: number;
  readonly first: Expression;
  readonly second: Expression;
}

export type Program = readonly Item[];

export const unitCount = 3;
const number = fc.integer({ min: 0, max: 4 });

const expression: fc.Arbitrary<Expression> = fc.letrec<{ any: Expression }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, depthIdentifier: "expression" },
    fc.record({ kind: fc.constant("number"), value: number }) as fc.Arbitrary<Expression>,
    fc.constant({ kind: "param" }) as fc.Arbitrary<Expression>,
    fc.record({ kind: fc.constant("use"), item: fc.nat(11), argument: tie("any") }) as fc.Arbitrary<Expression>,
    fc.record({ kind: fc.constantFrom("sum", "list"), left: tie("any"), right: tie("any") }) as fc.Arbitrary<Expression>,
    fc.record({ kind: fc.constant("map"), item: tie("any") }) as fc.Arbitrary<Expression>,
    fc.record({ kind: fc.constant("choice"), test: tie("any"), right: tie("any") }) as fc.Arbitrary<Expression>,
  ),
})).any;

const part = fc.record({ kind: fc.constantFrom(...itemKinds), unit: fc.nat(unitCount - 1), first: expression, second: expression });
const program = fc.array(part, { minLength: 3, maxLength: 10 }).map((parts): Program => parts.map((one, id) => ({ ...one, id })));

type Edit =
  | { readonly kind: "first" | "second"; readonly at: number; readonly to: Expression }
  | { readonly kind: "remove"; readonly at: number }
  | { readonly kind: "move"; readonly at: number; readonly unit: number }
  | { readonly kind: "swap"; readonly at: number }
  | { readonly kind: "become"; readonly at: number; readonly to: ItemKind }
  | { readonly kind: "add"; readonly at: number; readonly item: Omit<Item, "id"> };

const at = fc.nat(9);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constantFrom("first", "second"), at, to: expression }) as fc.Arbitrary<Edit>, weight: 8 },
  { arbitrary: fc.record({ kind: fc.constant("add"), at, item: part }) as fc.Arbitrary<Edit>, weight: 3 },
  fc.record({ kind: fc.constant("remove"), at }) as fc.Arbitrary<Edit>,
  fc.record({ kind: fc.constant("move"), at, unit: fc.nat(unitCount - 1) }) as fc.Arbitrary<Edit>,
  { arbitrary: fc.record({ kind: fc.constant("swap"), at }) as fc.Arbitrary<Edit>, weight: 3 },
  fc.record({ kind: fc.constant("become"), at, to: fc.constantFrom(...itemKinds) }) as fc.Arbitrary<Edit>,
);

function apply(items: Program, one: Edit, nextId: number): Program {
  const index = one.at % Math.max(items.length, 1);
  const item = items[index];
  if (item === undefined) return items;
  const replaced = (next: Item): Program => items.map((old, i) => (i === index ? next : old));
  switch (one.kind) {
    case "first":
      return replaced({ ...item, first: one.to });
    case "second":
      return replaced({ ...item, second: one.to });
    case "remove":
      return items.filter((_, i) => i !== index);
    case "move":
      return replaced({ ...item, unit: one.unit });
    case "become":
      return replaced({ ...item, kind: one.to });
    case "swap": {
      const other = items[index + 1];
      return other === undefined ? items : items.map((old, i) => (i === index ? other : i === index + 1 ? item : old));
    }
    case "add":
      return [...items.slice(0, index + 1), { ...one.item, id: nextId }, ...items.slice(index + 1)];
  }
}

/** A program, and two that came of it by a few edits each. */
export const history: fc.Arbitrary<readonly [Program, Program, Program]> = fc
  .tuple(program, fc.array(edit, { minLength: 1, maxLength: 2 }), fc.array(edit, { minLength: 1, maxLength: 2 }))
  .map(([a, first, second]) => {
    let nextId = 100;
    const b = first.reduce((items, one) => apply(items, one, nextId++), a);
    const c = second.reduce((items, one) => apply(items, one, nextId++), b);
    return [a, b, c] as const;
  });
