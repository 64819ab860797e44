import { detailOf, type AppShape } from "./app.ts";
import { definitionsOf, type Defined } from "./defined.ts";
import type { UnitDetail } from "./analyze.ts";
import { Decorations } from "./decorations.ts";
import { declaresHelper } from "./helpers.ts";
import { functionNamed } from "./in-flight.ts";
import { Lookup, symbolMark } from "./lookup.ts";
import { inspectKey, languageKey, namesOf, wellKnownKey } from "./names.ts";
import type { Site } from "./sites.ts";
import { Outside } from "./outside.ts";
import { firstIndex, givenBy, isFunction, type FunctionNode, type Node } from "./syntax.ts";

export interface Found {
  readonly unit: string;
  readonly site: Site;
}

/** A value given to a property of some object; `within`: the function that gives it, null for the top level. */
export interface GivenValue {
  readonly unit: string;
  readonly node: Node;
  readonly within: Site | null;
}

/** What the properties of an app's objects may be, by name, whoever's they are. Says nothing of what has run. */
export class MemberIndex {
  readonly #app: AppShape;
  readonly #candidates = new Map<string, readonly Site[] | null>();
  /** "?": under a name that is spelled out at run time. */
  readonly byMember: Map<string, Found[]> = new Map();
  /** `symbolMark`: under a key that is spelled out at run time, which may be any symbol. */
  readonly values: Map<string, GivenValue[]> = new Map();
  readonly defined: { readonly unit: string; readonly site: Site; readonly defined: Defined }[] = [];
  /** Helpers that a compiler wrote, by their unit: taken to have run. */
  readonly compiled: Map<Site, string> = new Map();
  readonly unitOf: Map<Site, string> = new Map();
  readonly siteOf: Map<Site["fn"], Site> = new Map();

  constructor(app: AppShape) {
    this.#app = app;
    for (const [unit, { detail }] of app.units) if (detail !== null) this.#add(unit, detail);
    for (const [unit, { detail }] of app.units) if (detail !== null) this.#addDecorated(unit, detail);
    this.#candidates.clear();
  }

  /** What decorators make is called by the name of the method that it stands in for. */
  #addDecorated(unit: string, detail: UnitDetail): void {
    const decorations = new Decorations(detail, new Lookup(this.#app, unit, detail), new Outside(this.#app, unit, detail), (key) => this.sitesOf(key));
    for (const [key, fn] of decorations.replacements()) {
      const site = this.siteOf.get(fn);
      if (site === undefined || this.byMember.get(key)?.some((other) => other.site === site) === true) continue;
      push(this.byMember, key, { unit: this.unitOf.get(site)!, site });
    }
  }

  #add(unit: string, detail: UnitDetail): void {
    const lookup = new Lookup(this.#app, unit, detail);
    const { members, getters } = namesOf(detail);
    for (const site of detail.facts.sites.all) {
      if (site.binding !== null && declaresHelper(site.binding, detail)) {
        this.compiled.set(site, unit);
        continue;
      }
      this.unitOf.set(site, unit);
      this.siteOf.set(site.fn, site);
      if (getters.has(site.fn)) continue;
      if (site.memberName === "[]") push(this.byMember, "?", { unit, site });
      else if (site.memberName !== null) push(this.byMember, site.memberName, { unit, site });
      else if (site.member !== null) {
        const { key } = site.member;
        push(this.byMember, (key.type === "Identifier" ? lookup.symbolNamed(key.name) : wellKnownKey(key)) ?? "?", { unit, site });
      }
    }
    for (const defined of definitionsOf(detail).all) {
      const site = this.siteOf.get(defined.fn);
      if (site !== undefined) this.defined.push({ unit, site, defined });
    }
    /** What a getter of an export gives is there once the getter is, whether or not that has run. */
    const givenIn = (node: Node): Site | null => {
      let site = siteAround(detail, node);
      while (site !== null && getters.has(site.fn)) site = site.owner;
      return site;
    };
    for (const [name, nodes] of members) {
      const key = name.startsWith(symbolMark) && name !== inspectKey && !name.startsWith(languageKey) ? (lookup.symbolNamed(name.slice(symbolMark.length)) ?? symbolMark) : name;
      for (const node of nodes) push(this.values, key, { unit, node, within: givenIn(node) });
    }
    for (const [name, binding] of detail.facts.exports) {
      if (binding.kind !== "local") continue;
      const site = detail.facts.byKey.get(binding.local);
      if (site !== undefined) push(this.byMember, name, { unit, site });
    }
  }

  /** A function without a guard of its own, which is kept and may be called later: as if it were a site. */
  partOf(unit: string, fn: FunctionNode): Site {
    let site = this.siteOf.get(fn);
    if (site === undefined) {
      const detail = detailOf(this.#app, unit)!;
      site = { ...blank, fn, key: `a function at line ${detail.lines.of(fn.start)}`, owner: siteAround(detail, fn) };
      this.siteOf.set(fn, site);
      this.unitOf.set(site, unit);
    }
    return site;
  }

  /** True if reading or writing a property may run it. Under a computed key it is not told. */
  isAccessor(found: Found): boolean {
    return found.site.memberName === "[]" || this.#kindOf(found) !== null;
  }

  isSetter(found: Found): boolean {
    return this.#kindOf(found) === "set";
  }

  #kindOf({ unit, site }: Found): "get" | "set" | null {
    const parent = namesOf(detailOf(this.#app, unit)!).parents.get(site.fn);
    const kind = parent?.type === "Property" || parent?.type === "MethodDefinition" ? parent.kind : null;
    return kind === "get" || kind === "set" ? kind : null;
  }

  /** All functions that a call by a property's name may mean; null if others may be meant, too. */
  candidates(key: string): readonly Found[] | null {
    if (key === "?" || key.startsWith(symbolMark) || this.defined.some(({ defined }) => defined.matches(key))) return null;
    const found = new Map((this.byMember.get(key) ?? []).map((one) => [one.site, one]));
    for (const { unit, node } of this.values.get(key) ?? []) {
      const given = givenBy(node);
      if (isNeverCalled(given)) continue;
      const fn = isFunction(given) ? given : (functionNamed(this.#app, unit, given)?.fn ?? null);
      if (fn === null) return null;
      const site = this.siteOf.get(fn);
      if (site !== undefined) found.set(site, { unit: this.unitOf.get(site)!, site });
      else if (!isFunction(given)) return null;
    }
    return [...found.values()];
  }

  /** The functions of the app that are known under a property's name; there may be others that are not known. */
  functionsUnder(key: string): readonly { readonly unit: string; readonly fn: FunctionNode }[] {
    const named = (this.values.get(key) ?? []).flatMap(({ unit, node }) => functionNamed(this.#app, unit, givenBy(node)) ?? []);
    return [...(this.byMember.get(key) ?? []).map(({ unit, site }) => ({ unit, fn: site.fn })), ...named];
  }

  sitesOf(key: string): readonly Site[] | null {
    let sites = this.#candidates.get(key);
    if (sites === undefined) this.#candidates.set(key, (sites = this.candidates(key)?.map(({ site }) => site) ?? null));
    return sites;
  }
}

const blank: Omit<Site, "fn" | "key" | "owner"> = {
  slot: "", origin: {}, offset: 0, form: "function", name: "", usesSuper: false, usesNewTarget: false, depth: 0, nested: [], binding: null, className: null, member: null, memberName: null,
  passedTo: null, escapes: true, isInFlight: false, hasDoor: false, hasParamClosures: false, refusal: "it has no guard", isOpaque: true,
};

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** The innermost function with a guard that a node stands in, other than itself. */
export function siteAround({ facts: { topSites } }: UnitDetail, node: Node): Site | null {
  const holds = (site: Site | undefined): site is Site => site !== undefined && site.fn !== node && site.fn.start <= node.start && node.end <= site.fn.end;
  let at: Site | undefined = topSites[firstIndex(topSites, (site) => site.fn.start > node.start) - 1];
  if (!holds(at)) return null;
  for (let inner: Site | undefined = at; inner !== undefined; inner = at.nested.find(holds)) at = inner;
  return at;
}

function isNeverCalled(node: Node): boolean {
  return node.type === "Literal" || node.type === "TemplateLiteral" || node.type === "UnaryExpression" || node.type === "BinaryExpression";
}
