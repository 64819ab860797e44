import { detailOf, resolveUnit, type AppShape } from "./app.ts";
import { functionNamed } from "./in-flight.ts";
import { declaresHelper } from "./helpers.ts";
import { Lookup } from "./lookup.ts";
import { namesOf } from "./names.ts";
import { ArgumentFates } from "./parameters.ts";
import { Walker } from "./reach.ts";
import type { Reached } from "./reached.ts";
import type { Site } from "./sites.ts";
import { givenBy, isFunction, type FunctionNode, type Node } from "./syntax.ts";
import { Values } from "./values.ts";

const known = new WeakMap<AppShape, Startup>();

/** Which functions may have run while the process started: what they returned or set up may still be in use. */
export function findStartup(app: AppShape): Startup {
  let startup = known.get(app);
  if (startup === undefined) known.set(app, (startup = new Startup(app)));
  return startup;
}

/** Methods that the language itself calls. */
const implicit = new Set(["toString", "valueOf", "toJSON", "then", "next", "return", "throw", "handleEvent", "toLocaleString", "prepareStackTrace"]);

interface Found {
  readonly unit: string;
  readonly site: Site;
}

/** Runs the app's top levels in the mind, and marks all that they may call. */
export class Startup {
  readonly #app: AppShape;
  readonly #ran = new Map<Site, string>();
  readonly #waiting: Found[] = [];
  readonly #byMember = new Map<string, Found[]>();
  readonly #walkers = new Map<string, Walker>();
  readonly #sitesByMember = new Map<string, readonly Site[] | null>();
  readonly #values = new Map<string, { readonly unit: string; readonly node: Node }[]>();
  readonly #kept = new Map<Site, string>();
  readonly #called = new Set<string>();
  readonly #handed = new Set<string>();
  readonly #read = new Set<string>();
  readonly #contained = new Map<Site, string>();
  readonly #listeners = new Map<Site, string>();
  readonly #returned = new Set<Site>();
  readonly #unitOf = new Map<Site, string>();
  readonly #siteOf = new Map<Site["fn"], Site>();
  #unknown: string | null = null;
  #taken: string | null = null;
  #emitter: string | null = null;
  #ranAccessors = false;
  #by = "";

  constructor(app: AppShape) {
    this.#app = app;
    for (const unit of app.units.keys()) this.#index(unit);
    for (const unit of app.units.keys()) this.#indexDecorated(unit);
    this.#sitesByMember.clear();
    for (const found of this.#byMember.get("?") ?? []) if (/\[Symbol\./.test(found.site.key)) this.#mark(found, "the language itself");
    this.#by = "the language itself";
    for (const key of implicit) this.#handMember(key);
    for (const unit of app.units.keys()) this.#runUnit(unit);
    for (let found = this.#waiting.pop(); found !== undefined; found = this.#waiting.pop()) {
      this.#by = `${found.site.key}() in ${found.unit}`;
      this.#walker(found.unit)?.runFunction(found.site.fn);
    }
  }

  /** What called the site while the process started, for people; null if nothing can have. */
  callerOf(site: Site): string | null {
    return this.#ran.get(site) ?? null;
  }

  /** True if a property of that name was looked at while the process started: whether it exists may have mattered. */
  sawMember(name: string): boolean {
    return implicit.has(name) || this.#called.has(name) || this.#handed.has(name) || this.#read.has(name) || this.#called.has("?");
  }

  /** All functions that a call by a property's name may mean; null if others may be meant, too. */
  readonly candidates = (key: string): readonly Found[] | null => {
    if (key === "?") return null;
    const found = [...(this.#byMember.get(key) ?? [])];
    for (const { unit, node } of this.#values.get(key) ?? []) {
      const value = givenBy(node);
      if (isFunction(value) || isNeverCalled(value)) continue;
      const detail = detailOf(this.#app, unit);
      const fn = detail === null || value.type !== "Identifier" ? null : new Lookup(this.#app, unit, detail).functionOf(value);
      const site = fn === null ? undefined : this.#siteOf.get(fn);
      if (site === undefined) return null;
      found.push({ unit: this.#unitOf.get(site)!, site });
    }
    return found;
  };

  /** The functions of the app that are known under a property's name; there may be others that are not known. */
  functionsUnder(key: string): readonly { readonly unit: string; readonly fn: FunctionNode }[] {
    const named = (this.#values.get(key) ?? []).flatMap(({ unit, node }) => functionNamed(this.#app, unit, node) ?? []);
    return [...(this.#byMember.get(key) ?? []).map(({ unit, site }) => ({ unit, fn: site.fn })), ...named];
  }

  #sitesOf(key: string): readonly Site[] | null {
    let sites = this.#sitesByMember.get(key);
    if (sites === undefined) this.#sitesByMember.set(key, (sites = this.candidates(key)?.map(({ site }) => site) ?? null));
    return sites;
  }

  #index(unit: string): void {
    const detail = detailOf(this.#app, unit);
    if (detail === null) return;
    const add = <T>(map: Map<string, T[]>, key: string, value: T): void => {
      const list = map.get(key);
      if (list === undefined) map.set(key, [value]);
      else list.push(value);
    };
    for (const site of detail.facts.sites.all) {
      if (site.binding !== null && declaresHelper(site.binding, detail)) {
        this.#ran.set(site, `code that a compiler wrote into ${unit}`);
        continue;
      }
      this.#unitOf.set(site, unit);
      this.#siteOf.set(site.fn, site);
      if (site.memberName !== null) add(this.#byMember, site.memberName, { unit, site });
      else if (site.member !== null) add(this.#byMember, "?", { unit, site });
    }
    for (const [key, nodes] of namesOf(detail).members) for (const node of nodes) add(this.#values, key, { unit, node });
    for (const [name, binding] of detail.facts.exports) {
      if (binding.kind !== "local") continue;
      const site = detail.facts.byKey.get(binding.local);
      if (site !== undefined) add(this.#byMember, name, { unit, site });
    }
  }

  /** What decorators make is called by the name of the method that it stands in for. */
  #indexDecorated(unit: string): void {
    for (const [key, fn] of this.#walker(unit)?.decorations.replacements() ?? []) {
      const site = this.#siteOf.get(fn);
      if (site === undefined) continue;
      const list = this.#byMember.get(key);
      const found = { unit: this.#unitOf.get(site)!, site };
      if (list === undefined) this.#byMember.set(key, [found]);
      else if (!list.some((other) => other.site === site)) list.push(found);
    }
  }

  #runUnit(unit: string): void {
    const analysis = this.#app.units.get(unit)!;
    this.#by = `top level of ${unit}`;
    if (analysis.detail !== null) {
      const walker = this.#walker(unit)!;
      walker.runProgram();
      // What is computed once and kept, whenever that is, is still in use.
      this.#by = `code of ${unit} that keeps what it gives`;
      for (const node of namesOf(analysis.detail).kept) walker.runOnce(node);
      return;
    }
    const inside = analysis.imports.flatMap(({ specifier }) => resolveUnit(this.#app, unit, specifier) ?? []);
    if (inside.length === 0) return;
    // Its code cannot be read: all that it can reach may have run.
    this.#by = `${unit}, which is not instrumented`;
    for (const target of inside) for (const site of detailOf(this.#app, target)?.facts.sites.all ?? []) this.#mark({ unit: target, site }, this.#by);
    this.#callMember("?");
    this.#callUnknown();
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
      for (const list of this.#byMember.values()) for (const found of list) if (isAccessor(found.site) && found.site.member?.kind !== "get") this.#mark(found, this.#by);
    },
    callReturned: (site) => {
      if (this.#returned.has(site)) return;
      this.#returned.add(site);
      this.#valuesOf(this.#unitOf.get(site)!)?.callReturned(site.fn);
    },
    parameters: new ArgumentFates((key) => this.#sitesOf(key)),
    siteOf: (fn) => this.#siteOf.get(fn),
    callMember: (key) => this.#callMember(key),
    handMember: (key) => this.#handMember(key),
    readMember: (key) => this.#readMember(key),
    candidates: (key) => this.#sitesOf(key),
  };

  #mark(found: Found, by: string): void {
    if (this.#ran.has(found.site)) return;
    this.#ran.set(found.site, by);
    this.#waiting.push(found);
  }

  #callUnknown(): void {
    if (this.#unknown !== null) return;
    this.#unknown = this.#by;
    for (const [site, unit] of this.#kept) this.#mark({ unit, site }, this.#by);
  }

  #callMember(key: string): void {
    if (this.#called.has(key)) return;
    this.#called.add(key);
    if (key !== "?") {
      // It may be the one whose name is computed.
      const isKnown = this.#byMember.has(key) || this.#values.has(key);
      for (const found of isKnown ? [] : (this.#byMember.get("?") ?? [])) this.#mark(found, this.#by);
      for (const found of this.#byMember.get(key) ?? []) this.#mark(found, this.#by);
      for (const { unit, node } of this.#values.get(key) ?? []) this.#valuesOf(unit)?.callValue(node);
      return;
    }
    for (const list of this.#byMember.values()) for (const found of list) this.#mark(found, this.#by);
    this.#callUnknown();
    this.#reached.callListeners();
  }

  #handMember(key: string): void {
    if (this.#called.has(key) || this.#handed.has(key)) return;
    this.#handed.add(key);
    for (const found of this.#byMember.get(key) ?? []) this.#mark(found, this.#by);
    for (const { unit, node } of this.#values.get(key) ?? []) this.#valuesOf(unit)?.handValue(node);
  }

  #readMember(key: string): void {
    if (this.#read.has(key)) return;
    this.#read.add(key);
    for (const [name, list] of key === "?" ? this.#byMember : [[key, this.#byMember.get(key) ?? []] as const]) {
      void name;
      for (const found of list) {
        if (isAccessor(found.site)) this.#mark(found, this.#by);
        else this.#reached.keep(found.unit, found.site, false);
      }
    }
  }
}

function isNeverCalled(node: Node): boolean {
  return node.type === "Literal" || node.type === "TemplateLiteral" || node.type === "UnaryExpression" || node.type === "BinaryExpression";
}

function isAccessor(site: Site): boolean {
  if (site.member !== null) return site.member.kind === "get" || site.member.kind === "set";
  return / ?(get|set) [^. ]*$/.test(site.key);
}
