import type { UnitDetail } from "./analyze.ts";
import { keptByAssignment, keptByChoice, keptByDefinition, keptByGetter, keptByIf, keptByLoop, keptByReturn, keptBySelf, keptByTry, type Kept, type Surroundings } from "./kept.ts";
import type { Keeping } from "./statement-names.ts";
import { StatementMemo, type ParsedStatement } from "./statements.ts";
import type { Node } from "./syntax.ts";

interface Asked {
  readonly what: keyof Surroundings;
  readonly name: string;
  readonly answer: boolean | readonly Node[];
}

interface Known {
  readonly kept: readonly Kept[];
  /** What was asked of other statements; while they answer the same, what was found holds. */
  readonly asked: readonly Asked[];
}

const memo = new StatementMemo<Known>();

/** What the code of a statement computes once and keeps. */
export function keptInStatement(statement: ParsedStatement, keeping: readonly Keeping[], detail: UnitDetail, around: Surroundings): readonly Kept[] {
  const before = memo.get(statement);
  if (before !== undefined && before.asked.every(({ what, name, answer }) => isSameAnswer(around[what](name), answer))) return before.kept;
  const asked: Asked[] = [];
  const kept = keeping.flatMap((node) => keptBy(node, detail, listening(around, asked)));
  return memo.set(statement, { kept, asked }).kept;
}

function isSameAnswer(a: boolean | readonly Node[], b: boolean | readonly Node[]): boolean {
  if (typeof a === "boolean" || typeof b === "boolean") return a === b;
  return a.length === b.length && a.every((node, i) => node === b[i]);
}

/** Writes down what is asked, and the answers. */
function listening(around: Surroundings, asked: Asked[]): Surroundings {
  const ask = <What extends keyof Surroundings>(what: What) => (name: string): ReturnType<Surroundings[What]> => {
    const answer = around[what](name) as ReturnType<Surroundings[What]>;
    asked.push({ what, name, answer });
    return answer;
  };
  return { isFresh: ask("isFresh"), isOwn: ask("isOwn"), isOfNode: ask("isOfNode"), valuesOf: ask("valuesOf"), declared: ask("declared"), methods: ask("methods") };
}

function keptBy(node: Keeping, detail: UnitDetail, around: Surroundings): readonly Kept[] {
  switch (node.type) {
    case "IfStatement":
      return keptByIf(node, detail, around);
    case "WhileStatement":
    case "DoWhileStatement":
    case "ForStatement":
      return keptByLoop(node, detail, around);
    case "TryStatement":
      return keptByTry(node, detail, around);
    case "BlockStatement":
      return [...keptByReturn(node.body, detail, around), ...keptByDefinition(node.body, detail, around)];
    case "AssignmentExpression":
      return [...keptByAssignment(node, detail, around), ...keptBySelf(node, around)];
    case "ConditionalExpression":
    case "LogicalExpression":
      return keptByChoice(node, detail, around);
    default:
      return keptByGetter(node, detail, around);
  }
}
