import type { UnitDetail } from "./analyze.ts";
import { excerpt, excerptsOfChange } from "./excerpt.ts";
import type { Findings } from "./findings.ts";
import type { Site } from "./sites.ts";

/** A statement at a unit's top level that does something when the unit is loaded; its text without the bodies that can be swapped. */
export interface TopEffect {
  readonly text: string;
  readonly line: number;
}

const maxEvidence = 6;

/** What the top level did when the process started cannot be done again, nor undone: a route, a listener, a timer. */
export function compareEffects(unit: string, old: readonly TopEffect[], now: readonly TopEffect[], findings: Findings): void {
  if (old.length === now.length && old.every((effect, i) => effect.text === now[i]!.text)) return;
  const added = without(now, old);
  const removed = without(old, now);
  const come = added.map((effect, i) => `${unit}:${effect.line}  ${besides(effect, removed[i])}`);
  const gone = removed.map((effect, i) => `before, ${unit}:${effect.line}  ${besides(effect, added[i])}`);
  const reordered = added.length + removed.length > 0 ? [] : moved(old, now).map(({ line, text }) => `${unit}:${line}  ${excerpt(text)}`);
  findings.block(unit, describe(unit, old, now, added, removed), [...come, ...reordered, ...gone].slice(0, maxEvidence));
}

/** Which statement of a function's body is another, as the end of a sentence; empty if that says nothing. */
export function statementThatDiffers(before: UnitDetail, former: Site, after: UnitDetail, site: Site): string {
  const [old, now] = [statementsOf(before, former), statementsOf(after, site)];
  const [come, gone] = [without(now, old)[0], without(old, now)[0]];
  if (come !== undefined && gone !== undefined) return ` (line ${come.line}: ${change(gone, come)})`;
  if (come !== undefined) return ` (line ${come.line}: ${excerptOf(come)} is new)`;
  return gone === undefined ? "" : ` (${excerptOf(gone)} is gone)`;
}

function statementsOf({ text, lines }: UnitDetail, { fn, nested }: Site): readonly TopEffect[] {
  const holes = nested.map((inner) => inner.fn);
  return fn.body.type === "BlockStatement" ? fn.body.body.map(({ start, end }) => ({ text: text.normalise(start, end, holes), line: lines.of(start) })) : [];
}

function describe(unit: string, old: readonly TopEffect[], now: readonly TopEffect[], added: readonly TopEffect[], removed: readonly TopEffect[]): string {
  const [come, gone] = [added[0], removed[0]];
  const more = Math.max(added.length, removed.length) - 1;
  const others = more > 0 ? ` (and ${more} more)` : "";
  if (come !== undefined && gone !== undefined) return `${change(gone, come)} at the top level (${unit}:${come.line})${others}: that ran when the process started`;
  if (come !== undefined) return `${excerptOf(come)} is new at the top level (${unit}:${come.line})${others}: that runs only when a process starts`;
  if (gone !== undefined) return `${excerptOf(gone)} is gone from the top level (it was ${unit}:${gone.line})${others}: what it did when the process started stays`;
  const [first, second] = moved(old, now);
  return `${excerptOf(first!)} now runs before ${excerptOf(second!)} at the top level (${unit}:${first!.line}): they ran in another order when the process started`;
}

/** Two of the same statements in another order: the first that moved up, and what it was after. */
function moved(old: readonly TopEffect[], now: readonly TopEffect[]): readonly TopEffect[] {
  const at = now.findIndex((effect, i) => effect.text !== old[i]!.text);
  const passed = now.find((effect, i) => i > at && effect.text === old[at]!.text) ?? now[at]!;
  return [now[at]!, passed];
}

/** Those of the first list that the second has not, or not as often. */
function without(list: readonly TopEffect[], other: readonly TopEffect[]): readonly TopEffect[] {
  const left = new Map<string, number>();
  for (const { text } of other) left.set(text, (left.get(text) ?? 0) + 1);
  return list.filter(({ text }) => {
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count <= 0;
  });
}

function change(gone: TopEffect, come: TopEffect): string {
  const { before, after } = excerptsOfChange(gone.text, come.text);
  return `${before} became ${after}`;
}

function excerptOf({ text }: TopEffect): string {
  return excerpt(text);
}

/** What it says where the other one, if there is one, says something else. */
function besides({ text }: TopEffect, other: TopEffect | undefined): string {
  return other === undefined ? excerpt(text) : excerptsOfChange(text, other.text).before;
}
