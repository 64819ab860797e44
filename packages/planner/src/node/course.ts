import { detailOf, resolveUnit, type AppShape } from "./app.ts";
import { symbolMark } from "./lookup.ts";
import { inspectKey, languageKey } from "./names.ts";
import type { Found, GivenValue, MemberIndex } from "./member-index.ts";
import { ArgumentFates } from "./parameters.ts";
import { Walker } from "./reach.ts";
import type { Reached } from "./reached.ts";
import type { Site } from "./sites.ts";
import { mayBeSpelled } from "./spelling.ts";
import type { Node } from "./syntax.ts";
import { Values } from "./values.ts";

/** Methods that the language itself calls. */
const implicit: readonly string[] = ["toString", "valueOf", "then", "handleEvent", "toLocaleString", "prepareStackTrace"];
/** Those of iterators: of what code itself makes one. */
const iterating: readonly string[] = ["next", "return", "throw"];

export function isImplicit(name: string): boolean {
  return name === "toJSON" || implicit.includes(name) || iterating.includes(name);
}

const language = "the language itself";

/**
 * Runs code in the mind, and marks all that it may call. `isFirst`: nothing has run before, so that a closure is there
 * only once the function that makes it has run, and a property has a value only once what gives it has.
 */
export class Course {
  readonly #app: AppShape;
  readonly #index: MemberIndex;
  readonly #isFirst: boolean;
  readonly ran: Map<Site, string> = new Map();
  /** Names of properties that were called, handed on, read or written. */
  readonly seen: Set<string> = new Set();
  /** Classes that may have instances by then. */
  readonly made: Set<Node> = new Set();
  readonly #waiting: Found[] = [];
  /** What is called as soon as the function that makes it, or gives it to a property, has run. */
  readonly #unmade = new Map<Site, (() => void)[]>();
  readonly #walkers = new Map<string, Walker>();
  readonly #kept = new Map<Site, string>();
  readonly #called = new Set<string>();
  readonly #handed = new Set<string>();
  readonly #read = new Set<string>();
  readonly #written = new Set<string>();
  readonly #contained = new Map<Site, string>();
  readonly #listeners = new Map<Site, string>();
  readonly #returned = new Set<Site>();
  /** Methods without a guard of their own, by their names. */
  readonly #parts = new Map<string, Found[]>();
  #unknown: string | null = null;
  #taken: string | null = null;
  #emitter: string | null = null;
  #ranAccessors = false;
  #callsWritten = false;
  #by = language;
  /** What others left behind that calls whatever it gets, while top levels run that run again; null before. */
  #others: ReadonlySet<string> | null = null;
  #othersCallWritten = false;
  /** Called by those top levels alone. */
  readonly #calledAgain = new Set<Site>();
  #isMixed = false;

  constructor(app: AppShape, index: MemberIndex, isFirst: boolean) {
    this.#app = app;
    this.#index = index;
    this.#isFirst = isFirst;
    for (const [site, unit] of index.compiled) this.ran.set(site, `code that a compiler wrote into ${unit}`);
    for (const found of index.byMember.get("?") ?? []) if (/\[(Symbol\.|([\w$]+\.)*custom\])/.test(found.site.key)) this.#mark(found, language);
    for (const key of index.byMember.keys()) if (key.startsWith(languageKey)) for (const found of index.byMember.get(key)!) this.#mark(found, language);
    for (const key of index.values.keys()) if (key.startsWith(languageKey)) for (const value of index.values.get(key)!) this.#handGiven(value);
    for (const key of implicit) this.#handMember(key);
    if ([...app.units.values()].some(({ source }) => /iterator/i.test(source))) for (const key of iterating) this.#handMember(key);
  }

  /** `by`: for people. */
  run(by: string, unit: string, code: (walker: Walker) => void): void {
    this.#by = by;
    code(this.#walker(unit)!);
  }

  /** A unit's code cannot be read: all that it can reach may run. */
  runUnread(unit: string): void {
    const inside = this.#app.units.get(unit)!.imports.flatMap(({ specifier }) => resolveUnit(this.#app, unit, specifier) ?? []);
    if (inside.length === 0) return;
    this.#by = `${unit}, which is not instrumented`;
    for (const target of inside) for (const site of detailOf(this.#app, target)?.facts.sites.all ?? []) this.#mark({ unit: target, site }, this.#by);
    this.#callMember("?");
    this.#callUnknown();
  }

  /** Runs what was marked, and what that marks. */
  finish(): void {
    for (let found = this.#waiting.pop(); found !== undefined; found = this.#waiting.pop()) {
      this.#by = `${found.site.key}() in ${found.unit}`;
      this.#walker(found.unit)?.runFunction(found.site.fn);
    }
  }

  /** All that runs from here on runs again on a reload. */
  beginAgain(): void {
    this.#others = new Set([this.#unknown, this.#taken, this.#emitter].filter((by) => by !== null));
    this.#othersCallWritten = this.#callsWritten;
  }

  /** What called the site, for people; null if nothing did, or only what runs again and calls it again. */
  callerOf(site: Site): string | null {
    return !this.#isMixed && this.#calledAgain.has(site) ? null : (this.ran.get(site) ?? null);
  }

  #walker(unit: string): Walker | null {
    const detail = detailOf(this.#app, unit);
    if (detail === null) return null;
    let walker = this.#walkers.get(unit);
    if (walker === undefined) this.#walkers.set(unit, (walker = new Walker(this.#app, unit, detail, this.#reached)));
    return walker;
  }

  #valuesOf(unit: string): Values | null {
    const detail = detailOf(this.#app, unit);
    return detail === null ? null : new Values(this.#app, unit, detail, this.#reached);
  }

  readonly #reached: Reached = {
    call: (unit, site) => this.#mark({ unit, site }, this.#by),
    keep: (unit, site, isContained) => {
      this.#kept.set(site, unit);
      if (isContained) this.#contained.set(site, unit);
      const by = this.#unknown ?? (isContained ? this.#taken : null);
      if (by !== null) this.#mark({ unit, site }, by);
    },
    keepMember: (unit, site, key) => {
      const list = this.#parts.get(key);
      if (list === undefined) this.#parts.set(key, [{ unit, site }]);
      else list.push({ unit, site });
      if (isImplicit(key) || this.#called.has(key) || this.#read.has(key)) this.#mark({ unit, site }, this.#by);
    },
    callUnknown: () => this.#callUnknown(),
    callContained: () => {
      if (this.#taken !== null) return;
      this.#taken = this.#by;
      for (const [site, unit] of this.#contained) this.#mark({ unit, site }, this.#by);
    },
    listen: (unit, site) => {
      this.#listeners.set(site, unit);
      if (this.#emitter !== null) this.#mark({ unit, site }, this.#emitter);
    },
    callListeners: () => {
      if (this.#emitter !== null) return;
      this.#emitter = this.#by;
      for (const [site, unit] of this.#listeners) this.#mark({ unit, site }, this.#by);
    },
    runAccessors: () => {
      if (this.#ranAccessors) return;
      this.#ranAccessors = true;
      // A class's getters are its prototype's, which is not read with its instances.
      for (const list of this.#index.byMember.values()) for (const found of list) if (this.#index.isAccessor(found) && found.site.member?.kind !== "get") this.#mark(found, this.#by);
      for (const found of this.#index.defined) if (found.defined.role !== "value") this.#mark(found, this.#by);
    },
    callReturned: (site) => {
      if (this.#returned.has(site)) return;
      this.#returned.add(site);
      this.#valuesOf(this.#index.unitOf.get(site)!)?.callReturned(site.fn);
    },
    parameters: new ArgumentFates((key) => this.#index.sitesOf(key)),
    siteOf: (fn) => this.#index.siteOf.get(fn),
    partOf: (unit, fn) => this.#index.partOf(unit, fn),
    construct: (node) => void this.made.add(node),
    callMember: (key) => this.#callMember(key),
    handMember: (key) => this.#handMember(key),
    readMember: (key) => this.#readMember(key),
    lookFor: (key) => void this.seen.add(key),
    writeMember: (key) => this.#writeMember(key),
    callWritten: (key) => {
      this.#callMember(key);
      this.#callsWritten = true;
      // Under a name that is spelled out, anything may have been written there.
      if (this.#written.has("?")) this.#callUnknown();
    },
    candidates: (key) => this.#index.sitesOf(key),
  };

  #mark(found: Found, by: string): void {
    if (this.ran.has(found.site)) return;
    if (!this.#isMade(found.site.owner, () => this.#mark(found, by))) return;
    this.ran.set(found.site, by);
    this.#waiting.push(found);
    // What others set up has called it: then it cannot be told what belongs to whom.
    if (this.#others?.has(by) === true) this.#isMixed = true;
    else if (this.#others !== null) this.#calledAgain.add(found.site);
    const later = this.#unmade.get(found.site);
    this.#unmade.delete(found.site);
    for (const call of later ?? []) call();
  }

  /** True if what a function makes may be there; otherwise `later` is called when it is. */
  #isMade(maker: Site | null, later: () => void): boolean {
    if (!this.#isFirst || maker === null || this.ran.has(maker)) return true;
    const list = this.#unmade.get(maker);
    const isOfOthers = this.#others === null;
    const call = (): void => {
      if (isOfOthers && this.#others !== null) this.#isMixed = true;
      later();
    };
    if (list === undefined) this.#unmade.set(maker, [call]);
    else list.push(call);
    return false;
  }

  #callUnknown(): void {
    if (this.#unknown !== null) return;
    this.#unknown = this.#by;
    for (const [site, unit] of this.#kept) this.#mark({ unit, site }, this.#by);
  }

  #callMember(key: string): void {
    if (this.#called.has(key)) return;
    this.#called.add(key);
    this.seen.add(key);
    this.#markParts(key);
    // `require("./x").default`, as compilers pass on what a CommonJS module exports as a whole.
    if (key === "default") this.#callMember("exports");
    this.#reachDefined(key, true);
    const { byMember, values } = this.#index;
    if (key !== "?") {
      // It may be the one whose name is computed.
      const isKnown = byMember.has(key) || values.has(key) || !mayBeSpelled(this.#app, key);
      for (const found of isKnown ? [] : (byMember.get("?") ?? [])) this.#markUnlessSetter(found);
      for (const value of isKnown || key.startsWith(symbolMark) ? [] : (values.get(symbolMark) ?? [])) this.#callGiven(value);
      for (const found of byMember.get(key) ?? []) this.#markUnlessSetter(found);
      for (const value of this.#valuesUnder(key)) this.#callGiven(value);
      return;
    }
    for (const list of byMember.values()) for (const found of list) this.#markUnlessSetter(found);
    this.#callUnknown();
    this.#reached.callListeners();
  }

  #markParts(key: string): void {
    for (const found of this.#parts.get(key) ?? []) this.#mark(found, this.#by);
  }

  /** What is given under a symbol may have been given under a key that is spelled out at run time. */
  *#valuesUnder(key: string): Generator<GivenValue> {
    yield* this.#index.values.get(key) ?? [];
    if (key.startsWith(symbolMark) && key !== symbolMark) yield* this.#index.values.get(symbolMark) ?? [];
  }

  /** A getter runs, and what it gives is called. */
  #markUnlessSetter(found: Found): void {
    if (this.#index.isSetter(found)) return;
    this.#mark(found, this.#by);
    if (this.#index.isAccessor(found)) this.#reached.callReturned(found.site);
  }

  #callGiven(value: GivenValue): void {
    if (this.#isMade(value.within, () => this.#callGiven(value))) this.#valuesOf(value.unit)?.callValue(value.node);
  }

  #handMember(key: string): void {
    if (this.#called.has(key) || this.#handed.has(key)) return;
    // A computed key is that symbol only where somebody names it.
    if (key === inspectKey && ![...this.#app.units.values()].some(({ source }) => source.includes("inspect"))) return;
    this.#handed.add(key);
    this.seen.add(key);
    this.#reachDefined(key, true);
    for (const found of this.#index.byMember.get(key) ?? []) this.#markUnlessSetter(found);
    for (const value of this.#valuesUnder(key)) this.#handGiven(value);
  }

  #handGiven(value: GivenValue): void {
    if (this.#isMade(value.within, () => this.#handGiven(value))) this.#valuesOf(value.unit)?.handValue(value.node);
  }

  /** What was made a property by `defineProperty`, under a name that may be this one. */
  #reachDefined(key: string, isCalled: boolean): void {
    for (const { unit, site, defined } of this.#index.defined) {
      if (defined.role === "set" || !defined.matches(key)) continue;
      if (isCalled || defined.role === "get") this.#mark({ unit, site }, this.#by);
      if (isCalled && defined.role === "get") this.#reached.callReturned(site);
      else this.#reached.keep(unit, site, false);
    }
  }

  #readMember(key: string): void {
    if (this.#read.has(key)) return;
    this.#read.add(key);
    this.seen.add(key);
    this.#markParts(key);
    this.#reachDefined(key, false);
    for (const found of this.#allOf(key)) {
      if (this.#index.isSetter(found)) continue;
      if (this.#index.isAccessor(found)) this.#mark(found, this.#by);
      else this.#reached.keep(found.unit, found.site, false);
    }
  }

  #writeMember(key: string): void {
    if (this.#written.has(key)) return;
    this.#written.add(key);
    if (key === "?" && this.#othersCallWritten) this.#isMixed = true;
    if (key === "?" && this.#callsWritten) this.#callUnknown();
    this.seen.add(key);
    for (const { unit, site, defined } of this.#index.defined) if (defined.role === "set" && defined.matches(key)) this.#mark({ unit, site }, this.#by);
    for (const found of this.#allOf(key)) if (this.#index.isSetter(found)) this.#mark(found, this.#by);
  }

  *#allOf(key: string): Generator<Found> {
    // A symbol may be the one that a computed key of an object stands for.
    // Of elements no more is told than that it is one.
    if (key === "0") for (const [name, list] of this.#index.byMember) if (/^[1-9]\d*$/.test(name)) yield* list;
    if (key !== "?") yield* this.#index.byMember.get(key) ?? (key.startsWith(symbolMark) ? this.#index.byMember.get("?") : undefined) ?? [];
    else for (const list of this.#index.byMember.values()) yield* list;
  }
}
