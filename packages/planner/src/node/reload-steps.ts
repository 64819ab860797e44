import type { ReloadOp, ReloadStep } from "@midflight/protocol";
import type { UnitDetail } from "./analyze.ts";
import { detailOf, importersOf, resolveUnit, type AppShape } from "./app.ts";
import { agentPackage, declarationOf, isExporting } from "./hooks.ts";
import { OverlayWriter } from "./overlay.ts";
import { isPure } from "./purity.ts";
import { boundNames, forEachChild, isClass, isFunction, keyName, type Node } from "./syntax.ts";
import { contentKey } from "./text.ts";

/** The names that a unit's top level binds when it runs: all variables but those that hold a function or class of its own. */
export function variablesOf({ program }: Pick<UnitDetail, "program">): ReadonlySet<string> {
  return new Set(boundAgain(program.body).flatMap(({ id }) => boundNames(id)));
}

type Declarator = Extract<Node, { type: "VariableDeclarator" }>;

function boundAgain(body: readonly Node[]): Declarator[] {
  return body.flatMap((statement) => declarationOf(statement)?.declarations.filter((declarator) => !isOwn(declarator)) ?? []);
}

/** A function or class keeps its identity: its body or its methods change, and it is not made anew. */
function isOwn({ id, init }: Declarator): boolean {
  return id.type === "Identifier" && !!init && (isFunction(init) || isClass(init));
}

/** What the top level does when it runs again, in source order. */
function stepsOf({ program, hooks, facts }: UnitDetail, source: string, writer: OverlayWriter): readonly ReloadStep[] {
  const steps: ReloadStep[] = [];
  const migrating = migratingNames({ program, facts });
  for (const statement of program.body) {
    const declaration = declarationOf(statement);
    if (declaration !== null) {
      for (const declarator of declaration.declarations) {
        if (isOwn(declarator)) continue;
        steps.push(declarator.init ? writer.step("bind", declarator, hasEffect(declarator.init, source, migrating)) : writer.step("clear", declarator.id, false));
      }
    } else if (runsAgain(statement)) steps.push(writer.step("run", statement, hooks?.statements.has(statement) !== true && hasEffect(statement, source, migrating)));
  }
  return steps;
}

/** True if something that runs, outside of functions, may do more than make a value. */
function hasEffect(node: Node, source: string, migrating: ReadonlySet<string>): boolean {
  if (isFunction(node)) return false;
  switch (node.type) {
    case "CallExpression":
      if (node.callee.type === "Identifier" && migrating.has(node.callee.name)) return false;
      if (!isPure(node, source)) return true;
      break;
    case "NewExpression":
      if (!isPure({ ...node, arguments: [] }, source)) return true;
      break;
    case "AssignmentExpression":
    case "UpdateExpression":
    case "TaggedTemplateExpression":
    case "ClassDeclaration":
    case "ClassExpression":
      return true;
    default:
      break;
  }
  let found = false;
  forEachChild(node, (child) => {
    found ||= hasEffect(child, source, migrating);
  });
  return found;
}

/** What the unit calls `migrate` of the agent: it only turns data into others. */
export function migratingNames({ program, facts }: Pick<UnitDetail, "program" | "facts">): ReadonlySet<string> {
  const names = new Set([...facts.imports.values()].filter(({ specifier, imported }) => specifier === agentPackage && imported === "migrate").map(({ local }) => local));
  for (const { id, init } of program.body.flatMap((statement) => declarationOf(statement)?.declarations ?? [])) {
    if (id.type !== "ObjectPattern" || init?.type !== "CallExpression" || init.callee.type !== "Identifier" || init.callee.name !== "require") continue;
    const [specifier] = init.arguments;
    if (specifier?.type !== "Literal" || specifier.value !== agentPackage) continue;
    for (const property of id.properties) if (property.type === "Property" && keyName(property.key, property.computed) === "migrate") for (const name of boundNames(property.value)) names.add(name);
  }
  return names;
}

function runsAgain(statement: Node): boolean {
  switch (statement.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
    case "ExportDefaultDeclaration":
    case "FunctionDeclaration":
    case "ClassDeclaration":
    case "EmptyStatement":
      return false;
    case "ExpressionStatement":
      return statement.directive === undefined && !isExporting(statement);
    default:
      return true;
  }
}

/** Units in the order in which a cold start evaluates them, as far as static imports and top-level requires tell (ECMA-262 §16.2.1.5.3). */
export function inEvaluationOrder(units: ReadonlySet<string>, app: AppShape): readonly string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (unit: string): void => {
    if (seen.has(unit)) return;
    seen.add(unit);
    for (const { specifier, isEager } of app.units.get(unit)?.imports ?? []) {
      const next = isEager ? resolveUnit(app, unit, specifier) : null;
      if (next !== null) visit(next);
    }
    if (units.has(unit)) order.push(unit);
  };
  const roots = [...app.units.keys()].filter((unit) => [...importersOf(app).of(unit)].length === 0);
  for (const unit of [...roots.toSorted(), ...[...units].toSorted()]) visit(unit);
  return order;
}

/** Names what a unit's top level says and reads: its own text, and that of every unit below it that is not as it was. */
export function keyOf(unit: string, boot: AppShape, target: AppShape): string {
  const seen = new Set([unit]);
  const open = [unit];
  const parts: string[] = [];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const analysis = target.units.get(at);
    if (analysis === undefined) continue;
    if (at === unit || boot.units.get(at)?.source !== analysis.source) parts.push(`${at}\n${analysis.detail?.text.normalise(0, analysis.source.length) ?? analysis.source}`);
    for (const { specifier } of analysis.imports) {
      const next = resolveUnit(target, at, specifier);
      if (next === null || seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return contentKey(parts.toSorted().join("\n"));
}

export interface ReloadInput {
  readonly unit: string;
  readonly boot: AppShape;
  readonly target: AppShape;
  readonly writer: OverlayWriter;
  /** Place among the units that the transition runs again. */
  readonly order: number;
  readonly again: boolean;
}

export function planReload({ unit, boot, target, writer, order, again }: ReloadInput): ReloadOp {
  const before = boot.units.get(unit)!;
  return {
    key: keyOf(unit, boot, target), again, order,
    steps: stepsOf(detailOf(target, unit)!, target.units.get(unit)!.source, writer),
    former: { artifact: before.artifactDigest, steps: stepsOf(before.detail!, before.source, new OverlayWriter(before.detail!, new Map())) },
  };
}
