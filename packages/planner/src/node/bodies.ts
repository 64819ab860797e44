import type { UnitDetail } from "./analyze.ts";
import { compareReflection, type Reflection } from "./arity.ts";
import type { AppShape } from "./app.ts";
import { Callbacks } from "./callbacks.ts";
import type { Change } from "./change.ts";
import { statementThatDiffers } from "./effects.ts";
import type { Findings } from "./findings.ts";
import type { OverlayWriter } from "./overlay.ts";
import { endsWithItsCall } from "./in-flight.ts";
import { isRequestName } from "./closures.ts";
import { shapesInstances } from "./instances.ts";
import { isReadMember } from "./members.ts";
import { makesClosures } from "./held.ts";
import { textWithLocals } from "./kept-text.ts";
import { mayRunForEver } from "./lasting.ts";
import { namesOf } from "./names.ts";
import { capturesTheSame, standsAlone } from "./captured.ts";
import { endsWithItsRequest } from "./request-closures.ts";
import { referencesIn } from "./scope.ts";
import { isSameText, shownSite, type Site } from "./sites.ts";
import type { Node } from "./syntax.ts";
import { contentKey } from "./text.ts";
import type { Startup } from "./startup.ts";
import { mayBeUnderWay, whoLooksFor } from "./under-way.ts";

export interface BodyInput {
  readonly unit: string;
  readonly boot: AppShape;
  readonly target: AppShape;
  readonly before: UnitDetail;
  readonly after: UnitDetail;
  readonly changed: ReadonlyMap<string, Change>;
  /** An earlier release named the unit: what that made may be alive. */
  readonly isTouched: boolean;
  readonly startup: Startup;
  readonly findings: Findings;
  readonly writer: OverlayWriter;
  readonly artifactLineOf: (site: Site) => number;
  /** What the unit, reloaded, gives to its hooks anew: nobody calls the former again. Default: nothing. */
  readonly isGivenAnew?: (site: Site) => boolean;
}

/** Compares the functions of a unit that both shapes have, and writes what each needs. */
export function planBodies(input: BodyInput): void {
  const { unit, before, after, changed, findings, writer } = input;
  for (const site of after.facts.sites.all) {
    if ((site.binding !== null && changed.has(site.binding)) || input.isGivenAnew?.(site) === true) continue;
    const former = before.facts.byKey.get(site.key);
    if (former === undefined) {
      if (site.member !== null && before.facts.sites.classes.has(site.className!)) planNewMember(input, site);
      continue;
    }
    const isSame = isSameText(former, site) || before.facts.ownText(former) === after.facts.ownText(site);
    const reads = readsChanged(after, site, changed);
    if (isSame && !reads && memberHead(former) === memberHead(site)) {
      if (site.depth > 0 && site.refusal === null) writer.body(site, former.slot, true);
      else if (site.depth === 0 && site.refusal === null && differsInside(input, former, site)) {
        const seal = sealOf(input, site);
        if (seal !== "") writer.body(site, former.slot, true, seal);
      }
      continue;
    }
    const reflection: Reflection = isSame ? { kind: "same" } : compareReflection(input.boot, unit, before, input.startup, former, site);
    const blocker = bodyBlocker(input, former, site, isSame, reads) ?? (reflection.kind === "blocked" ? reflection.reason : null);
    const evidence = [`${unit}:${input.artifactLineOf(site)}`];
    if (blocker !== null) findings.block(unit, `${shownSite(site)}: ${blocker}`, evidence);
    else {
      if (!isSame || memberHead(former) !== memberHead(site)) findings.body(unit, shownSite(site));
      writer.body(site, former.slot, false, site.depth > 0 ? "" : sealOf(input, site), reflection.kind === "set" ? { path: reflection.path, name: reflection.name } : null);
    }
  }
  for (const former of before.facts.sites.all) {
    if (former.member !== null && !after.facts.byKey.has(former.key) && after.facts.sites.classes.has(former.className!)) planLostMember(input, former);
  }
}

/**
 * What closures that live on were made in, where the text around them is not the boot's: no later overlay reaches them, so
 * one that says anything else of them is refused. `?` asks that there are none, and leaves nothing. Kept with the
 * outermost function, whose slot every release that says something of it names.
 */
function sealOf(input: BodyInput, site: Site): string {
  const { before, after, isTouched } = input;
  const parts: string[] = [];
  let isOther = false;
  for (const closure of livingIn(input, site)) {
    const { key, fn } = closure;
    const owner = closure.owner!;
    const was = before.facts.byKey.get(key);
    const isSame = was !== undefined && before.text.normalise(was.fn.start, was.fn.end) === after.text.normalise(fn.start, fn.end);
    if (was !== undefined && before.facts.shapes.get(was) === after.facts.shapes.get(closure)) isOther ||= !isSame;
    else if (isSame) parts.push(`kept ${key}`);
    else parts.push(`new ${key}\n${after.facts.shapes.get(closure)}\n${after.text.normalise(owner.fn.start, owner.fn.end)}`);
  }
  return parts.length > 0 ? contentKey(parts.join("\n")) : isOther && isTouched ? "?" : "";
}

/** True if a function that is the same itself has functions inside that are not. */
function differsInside({ before, after }: BodyInput, former: Site, site: Site): boolean {
  return site !== former && site.nested.length > 0 && before.text.normalise(former.fn.start, former.fn.end) !== after.text.normalise(site.fn.start, site.fn.end);
}

/** What a method says outside of its function: async and generator marks are compared as forms, the rest is its key. */
function memberHead(site: Site): string {
  return `${site.fn.async ? "async" : ""}${site.fn.generator ? "*" : ""}`;
}

function readsChanged(detail: UnitDetail, site: Site, changed: ReadonlyMap<string, Change>): boolean {
  if (changed.size === 0) return false;
  return referencesIn(detail.scopes.references, site.fn.start, site.fn.end).some(
    (ref) =>
      ref.where !== "local" && changed.has(ref.name) &&
      !site.nested.some((nested) => ref.start >= nested.fn.start && ref.end <= nested.fn.end),
  );
}

function bodyBlocker(input: BodyInput, former: Site, site: Site, isSame: boolean, isReading: boolean): string | null {
  const { startup, before, after } = input;
  if (former.refusal !== null) return former.refusal;
  if (site.refusal !== null) return site.refusal;
  if (former.form !== site.form) return "it changed from one kind of function to another";
  const isArrow = former.fn.type === "ArrowFunctionExpression";
  if (isArrow !== (site.fn.type === "ArrowFunctionExpression") || former.fn.generator !== site.fn.generator) return "it changed from one kind of function to another";
  if (former.fn.async && !site.fn.async) return "it is no longer async, but callers that hold the old one get a promise";
  if (isArrow && takesRest(site) && site.fn.params.length - 1 < plainCount(former)) return "its rest parameter now begins earlier than the old parameters end";
  if (!former.usesNewTarget && site.usesNewTarget) return "it now uses new.target";
  if (!isSame && (former.isOpaque || site.isOpaque)) return "it makes classes, or closures that no door reaches";
  if (former.hasParamClosures && (isReading || paramText(before, former) !== paramText(after, site))) return "a parameter's default makes functions that no door reaches";
  if (!isSame && !closuresStay(input, former, site)) return `the text around its closures changed${statementThatDiffers(before, former, after, site)}; closures it made before cannot follow`;
  const kept = keptDifferently(input, former, site);
  if (kept !== null) return kept;
  const keeper = isSame ? null : callbacksOf(input).keeperIn(former);
  if (keeper !== null) return `it hands a function to ${keeper}(), which may keep it with its old text`;
  const shaped = shapesInstances([input.boot, input.target], input.unit, former) ?? shapesInstances([input.boot, input.target], input.unit, site);
  if (shaped !== null) return shaped;
  if (isEndless(before, former)) return "a call of it may be running for ever, in a loop that waits, on the text that it began with";
  const caller = startup.callerOf(former);
  if (caller !== null) return `it may have run ${caller.startsWith("code of ") ? "already" : "when the process started"} (called from ${caller}), and what it returned or set up may still be in use${former.nested.length > 0 ? statementThatDiffers(before, former, after, site) : ""}`;
  return null;
}

/** True if closures that a function made before its text changed are what it would make now, so that they need not follow. */
function closuresStay(input: BodyInput, former: Site, site: Site): boolean {
  const { before, after, changed } = input;
  const [then, now] = [{ detail: before, outer: former }, { detail: after, outer: site }];
  const readsChange = ({ fn }: Site): boolean => referencesIn(after.scopes.references, fn.start, fn.end).some((ref) => ref.where !== "local" && changed.has(ref.name));
  const rest = new Set(livingIn(input, site));
  const isTaken = (closure: Site | undefined): boolean => closure !== undefined && rest.delete(closure);
  const stay = livingIn(input, former).every((closure) => {
    const same = after.facts.byKey.get(closure.key);
    if (same !== undefined && rest.has(same) && !readsChange(same) && capturesTheSame(then, now, closure, same)) return isTaken(same);
    return isTaken([...rest].find((moved) => !readsChange(moved) && standsAlone(then, now, closure, moved)));
  });
  // What was set up before has none of those that come.
  return stay && (rest.size === 0 || livingIn(input, former).length === 0);
}

/** The closures of a function, and of those in it, that may be alive long after. */
function livingIn(input: BodyInput, site: Site): readonly Site[] {
  return site.nested.flatMap((nested) => [...(mayLive(input, nested) ? [nested] : []), ...livingIn(input, nested)]);
}

function paramText({ text }: UnitDetail, { fn }: Site): string {
  return fn.params.length === 0 ? "" : text.normalise(fn.params[0]!.start, fn.params.at(-1)!.end);
}

/** True if closures made at this site, or in it, may be alive long after, and must follow a change. */
function livesOn(input: BodyInput, site: Site): boolean {
  return mayLive(input, site) || site.nested.some((nested) => livesOn(input, nested));
}

function mayLive(input: BodyInput, site: Site): boolean {
  const ends = !site.escapes || (site.isInFlight && !isKept(input, site)) || endsWithItsCall(input.boot, input.unit, site, input.startup.candidates) || endsWithItsRequest(input.boot, input.unit, site, (key) => input.startup.functionsUnder(key));
  return !ends || isEndless(input.before, site);
}

/** What a call computes once and keeps, for all later ones, was computed by the former text from what was there then. */
function keptDifferently({ unit, before, after, changed, startup }: BodyInput, former: Site, site: Site): string | null {
  const isLasting = startup.isLasting(unit, former);
  const textsOf = (detail: UnitDetail, { fn }: Site, nodes: readonly Node[]): string[] => nodes.map((node) => textWithLocals(detail, fn, node));
  const then = textsOf(before, former, keptIn(before, former, isLasting));
  const nodes = keptIn(after, site, isLasting);
  const now = textsOf(after, site, nodes);
  // What was not kept before is not there to be wrong.
  const again = nodes.filter((_, i) => then.includes(now[i]!));
  const reads = again.flatMap(({ start, end }) => referencesIn(after.scopes.references, start, end)).find((ref) => ref.where !== "local" && changed.has(ref.name));
  if (reads !== undefined) return `it keeps what it computed from ${reads.name}, which changed`;
  return then.every((text) => now.includes(text)) ? null : "what it computes once and keeps is computed otherwise now";
}

/** Of a site's own text. `isLasting`: what is kept in its object lasts. */
function keptIn(detail: UnitDetail, { fn, nested }: Site, isLasting: boolean): readonly Node[] {
  const isOf = ({ start, end }: Node): boolean => start >= fn.start && end <= fn.end && !nested.some((inner) => start >= inner.fn.start && end <= inner.fn.end);
  return namesOf(detail).kept.flatMap(({ node, isOwn }) => (isOf(node) && (isLasting || !isOwn) ? [node] : []));
}

function callbacksOf({ boot, unit, before, startup }: BodyInput): Callbacks {
  return new Callbacks(boot, unit, before, startup);
}

/** True if the app itself has a function of the name that was taken for one which is done with what it is given when its call ends. */
function isKept(input: BodyInput, { fn }: Site): boolean {
  const call = namesOf(input.before).parents.get(fn) ?? namesOf(input.after).parents.get(fn);
  return call?.type === "CallExpression" && callbacksOf(input).keeps(call, fn);
}

/** True if a call of it, or of what is part of its text, may never end. What a request is read from ends with that. */
function isEndless({ facts }: UnitDetail, site: Site): boolean {
  const isBounded = (loop: Node): boolean => loop.type === "ForOfStatement" && loop.right.type === "Identifier" && isRequestName(loop.right.name);
  return mayRunForEver(site.fn, (fn) => fn !== site.fn && facts.byFunction.has(fn), isBounded);
}

function takesRest(site: Site): boolean {
  return site.fn.params.at(-1)?.type === "RestElement";
}

function plainCount(site: Site): number {
  return site.fn.params.length - (takesRest(site) ? 1 : 0);
}

function planNewMember(input: BodyInput, site: Site): void {
  const { unit, before, after, startup, findings, writer, artifactLineOf } = input;
  const name = `${site.className}.${site.memberName ?? "[computed]"}()`;
  const evidence = [`${unit}:${artifactLineOf(site)}`];
  if (site.member!.kind === "constructor") findings.block(unit, `class ${site.className} has a new constructor; live instances were made without it`, evidence);
  else if (site.memberName === null) findings.block(unit, `${name}: a new member with a computed name`, evidence);
  else if (startup.sawMember(site.memberName)) findings.block(unit, `${name}: a member of that name was called or looked for when the process started`, evidence);
  else if (site.memberName.startsWith("#")) findings.block(unit, `${name}: a private name cannot be added to a class that exists`, evidence);
  else if (site.refusal !== null) findings.block(unit, `${name}: ${site.refusal}`, evidence);
  else if (sameName(before, site) || sameName(after, site, isOtherHalf)) findings.block(unit, `${name}: a member of that name has another kind`, evidence);
  else if (site.isOpaque || site.nested.some((nested) => livesOn(input, nested))) findings.block(unit, `${name}: it makes classes, or closures that no door reaches`, evidence);
  else {
    // A way back has to take it away again, or nobody may look for it.
    const stays = mayBeUnderWay(input.target, site.memberName);
    const looking = stays ? whoLooksFor(input.boot, site.memberName) : null;
    if (looking !== null) return findings.block(unit, `${name}: a way back would have to leave it for calls that are under way, and ${looking} may look for it`, evidence);
    findings.redefine(unit, `new ${site.member!.kind === "method" ? "method" : "accessor"} ${name}`);
    writer.member(site, stays, site.member!.kind === "method" && isReadMember(input.target, site.memberName));
  }
}

function sameName(detail: UnitDetail, site: Site, isFine: (one: Site, other: Site) => boolean = () => false): boolean {
  return detail.facts.sites.all.some(
    (other) => !isFine(site, other) && other.member !== null && other.className === site.className && other.member.static === site.member!.static && other.memberName === site.memberName && other.key !== site.key,
  );
}

/** A getter and a setter are one property. */
function isOtherHalf({ member }: Site, { member: other }: Site): boolean {
  return (member?.kind === "get" && other?.kind === "set") || (member?.kind === "set" && other?.kind === "get");
}

/**
 * A removed method is taken from its class, once no request of the former release is open. Where other calls that are
 * under way may still use it, it stays; that is sound unless it hides another, or somebody looks for it.
 */
function planLostMember({ unit, target, boot, before, after, startup, findings, writer }: BodyInput, former: Site): void {
  const name = `${former.className}.${former.memberName ?? "[computed]"}()`;
  const { memberName } = former;
  if (former.member!.kind === "constructor") return findings.block(unit, `class ${former.className} lost its constructor; live instances were made with it`);
  if (memberName?.startsWith("#")) return;
  if (memberName === null) return findings.block(unit, `${name} was removed, and its name is computed`);
  if (sameName(after, former)) return findings.block(unit, `${name} was removed, and a member of that name has another kind`);
  if (startup.sawMember(memberName)) return findings.block(unit, `${name} was removed, and a member of that name was called or looked for when the process started`);
  if (former.member!.kind === "method" && isReadMember(boot, memberName)) return findings.block(unit, `${name} was removed, and who took it goes on calling it`);
  if (makesClosures(former)) return findings.block(unit, `${name} was removed, and closures that it made go on with its text`);
  if (former.refusal === null && !mayBeUnderWay(boot, memberName)) {
    writer.remove(former);
    return findings.redefine(unit, `method ${name} removed`);
  }
  const node = before.facts.sites.classes.get(former.className!);
  if ((node?.superClass ?? null) !== null) return findings.block(unit, `${name} was removed, calls that are under way may still use it, and its class may inherit another of that name`);
  const looking = whoLooksFor(target, memberName);
  if (looking !== null) return findings.block(unit, `${name} was removed, calls that are under way may still use it, and ${looking} may look for it`);
  findings.redefine(unit, `method ${name} removed (it stays for calls that are under way)`);
}
