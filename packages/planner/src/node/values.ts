import { detailOf, resolveUnit, type AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { calleeName, isContainer, isGivingBack, isOutsideCallback, isPassiveBase, isTaker, isWrapper } from "./callees.ts";
import { helperOf } from "./helpers.ts";
import { knownGlobals } from "./globals.ts";
import { Lookup } from "./lookup.ts";
import { inspectKey, namesOf, type Names, type Source } from "./names.ts";
import { Outside } from "./outside.ts";
import type { Reached } from "./reached.ts";
import type { Site } from "./sites.ts";
import { forEachChild, givenBy, isClass, isFunction, keyName, type ClassNode, type FunctionNode, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

/** Finds which functions a value may be, when it is called, handed on or kept. Over-approximates. */
export class Values {
  readonly #app: AppShape;
  readonly #unit: string;
  readonly #detail: UnitDetail;
  readonly #names: Names;
  readonly #sites: ReadonlyMap<Node, Site>;
  readonly #out: Reached;
  readonly #outside: Outside;
  readonly #lookup: Lookup;
  readonly #following = new Set<Node>();

  constructor(app: AppShape, unit: string, detail: UnitDetail, out: Reached) {
    this.#app = app;
    this.#unit = unit;
    this.#detail = detail;
    this.#names = namesOf(detail);
    this.#sites = detail.facts.byFunction;
    this.#out = out;
    this.#outside = new Outside(app, unit, detail);
    this.#lookup = new Lookup(app, unit, detail);
  }

  /** A name's value is handed to somebody who may call it: if it is a function that has a name or is taken from a property. */
  handName(name: string): void {
    const { facts } = this.#detail;
    if (facts.imports.has(name) || facts.byKey.has(name)) return this.callName(name);
    for (const source of this.#names.sources.get(name) ?? []) {
      if (source.kind === "function" || source.kind === "class") this.#callSource(name, source);
      else if (source.kind === "member") this.#out.handMember(source.key);
      else if (source.kind === "value") this.handValue(source.node);
      else if (source.kind === "unknown" || (!isOutsideCallback(name) && !this.#lookup.isOnlyCalled(source.fn))) this.#out.callContained();
    }
  }

  /** An object is written out, by the method that it has for that. */
  handPrinted(): void {
    for (const key of ["toJSON", inspectKey]) this.#out.handMember(key);
  }

  /** What a call gave is called or handed on: the functions that the callee returns, or what a list or a map holds. */
  callResult(call: Call, use: "call" | "hand"): void {
    const { callee } = call;
    if (call.type === "NewExpression" || callee.type === "Super") return;
    const name = calleeName(callee);
    if (callee.type === "Identifier" && callee.name === "require") {
      const [specifier] = call.arguments;
      const unit = specifier?.type === "Literal" ? resolveUnit(this.#app, this.#unit, String(specifier.value)) : null;
      if (unit !== null) this.#callExports(unit);
      return;
    }
    if (callee.type === "Identifier" && this.#outside.isFunction(callee)) return;
    const helper = helperOf(callee, this.#detail);
    if (helper !== null) {
      const [given] = call.arguments;
      if (helper !== "pass" || given === undefined) return;
      return use === "call" ? this.callValue(given) : this.handValue(given);
    }
    if (callee.type === "MemberExpression" && isWrapper(name)) {
      for (const argument of call.arguments) this.handValue(argument);
      return;
    }
    // What Node or a package made: it may call what that was given, which was taken to be called when it was given.
    if (callee.type === "MemberExpression" && !isTaker(name) && !isContainer(name) && this.#outside.isModule(callee.object)) return;
    if (callee.type === "MemberExpression") {
      const inside = this.#out.candidates(name);
      if (isGivingBack(name)) for (const argument of call.arguments) this.handAll(argument);
      if (inside?.length === 0 && use === "hand") return isTaker(name) ? this.#out.callContained() : undefined;
      if (inside !== null && inside.length > 0) for (const site of inside) this.#out.callReturned(site);
    } else {
      const fn = callee.type === "Identifier" || isFunction(callee) ? this.#lookup.functionOf(callee) : null;
      const site = fn === null ? undefined : this.#out.siteOf(fn);
      if (site !== undefined) return this.#out.callReturned(site);
      // Called where it is written, and part of the text around it.
      if (fn !== null && fn === callee && !fn.async && !fn.generator) return this.callReturned(fn);
    }
    if (use === "call") this.#out.callUnknown();
    else this.#out.callContained();
  }

  /** What the function returns is called. */
  callReturned(fn: FunctionNode): void {
    if (this.#following.has(fn)) return;
    this.#following.add(fn);
    if (fn.body.type !== "BlockStatement") this.handValue(fn.body);
    const walk = (node: Node): void => {
      if (node.type === "ReturnStatement" && node.argument) {
        if (node.argument.type === "CallExpression") this.callResult(node.argument, "hand");
        else this.handValue(node.argument);
      }
      forEachChild(node, (child) => {
        if (!isFunction(child)) walk(child);
      });
    };
    walk(fn.body);
    this.#following.delete(fn);
  }

  /** A value is handed to somebody who calls it if it is a function. */
  handValue(given: Node): void {
    const node = givenBy(given);
    if (this.#following.has(node)) return;
    this.#following.add(node);
    switch (node.type) {
      case "Identifier":
        this.handName(node.name);
        break;
      case "MemberExpression":
        this.handMember(node);
        break;
      case "ConditionalExpression":
        this.handValue(node.consequent);
        this.handValue(node.alternate);
        break;
      case "LogicalExpression":
        if (node.operator !== "&&") this.handValue(node.left);
        this.handValue(node.right);
        break;
      case "CallExpression":
        this.callResult(node, "hand");
        break;
      default:
        if (isFunction(node)) this.#callFunction(node);
        else if (isClass(node)) this.construct(node);
    }
    this.#following.delete(node);
  }

  /** All that an object holds is handed to somebody who calls what he finds in it, by whatever name. */
  handAll(node: Node): void {
    if (node.type === "ObjectExpression") {
      for (const property of node.properties) if (property.type === "Property") this.handValue(property.value);
    } else if (node.type === "ArrayExpression") node.elements.forEach((element) => element && this.handAll(element));
    else if (node.type === "Identifier") {
      const imported = this.#detail.facts.imports.get(node.name);
      const origin = imported === undefined ? null : this.#lookup.originOf(imported.specifier, imported.imported, this.#out.callMember);
      if (origin !== null) new Values(this.#app, origin.unit, detailOf(this.#app, origin.unit)!, this.#out).handNamed(origin.local);
      else this.handNamed(node.name);
    } else this.handValue(node);
  }

  handNamed(name: string): void {
    this.handName(name);
    for (const source of this.#names.sources.get(name) ?? []) if (source.kind === "value" && /^(Object|Array)Expression$/.test(source.node.type)) this.handAll(source.node);
  }

  handMember(node: Extract<Node, { type: "MemberExpression" }>): void {
    const key = this.#lookup.keyOf(node);
    if (this.#outside.isMember(node)) return;
    if (key === "?") this.#out.callContained();
    else this.#out.handMember(key);
  }

  /** A name's function may be found where this value goes. */
  keepName(name: string, isContained: boolean): void {
    const { facts } = this.#detail;
    const imported = facts.imports.get(name);
    if (imported !== undefined) {
      // What a CommonJS unit exports, it has kept itself.
      const origin = this.#lookup.originOf(imported.specifier, imported.imported, (key) => this.#out.readMember(key));
      if (origin === null) return;
      const there = detailOf(this.#app, origin.unit)!;
      return new Values(this.#app, origin.unit, there, this.#out).keepName(origin.local, isContained);
    }
    for (const source of this.#names.sources.get(name) ?? []) {
      if (source.kind === "function") this.#keepFunction(source.fn, isContained);
      else if (source.kind === "class" && isClass(source.node)) this.keepClass(source.node);
      else if (source.kind === "value" && isFunction(source.node)) this.#keepFunction(source.node, isContained);
    }
    const site = facts.byKey.get(name);
    if (site !== undefined) this.#out.keep(this.#unit, site, isContained);
  }

  #keepFunction(fn: FunctionNode, isContained: boolean): void {
    this.#out.keep(this.#unit, this.#sites.get(fn) ?? this.#out.partOf(this.#unit, fn), isContained);
  }

  callName(name: string): void {
    const { facts } = this.#detail;
    const imported = facts.imports.get(name);
    if (imported !== undefined) {
      const unit = resolveUnit(this.#app, this.#unit, imported.specifier);
      if (unit === null || detailOf(this.#app, unit) === null) return;
      const origin = this.#lookup.originOf(imported.specifier, imported.imported, this.#out.callMember);
      if (origin !== null) return new Values(this.#app, origin.unit, detailOf(this.#app, origin.unit)!, this.#out).callName(origin.local);
      if (imported.imported === "default" || imported.imported === "*") this.#callExports(unit);
      return;
    }
    const site = facts.byKey.get(name);
    if (site !== undefined) this.#out.call(this.#unit, site);
    const sources = this.#names.sources.get(name);
    if (sources === undefined) {
      if (site === undefined && !knownGlobals.has(name) && name !== "require" && name !== "import") this.#out.callUnknown();
      return;
    }
    for (const source of sources) this.#callSource(name, source);
  }

  /** A CommonJS unit's whole export is called. */
  #callExports(unit: string): void {
    const detail = detailOf(this.#app, unit);
    const exported = detail === null ? undefined : namesOf(detail).members.get("exports");
    if (detail === null || exported === undefined) return this.#out.callUnknown();
    for (const node of exported) new Values(this.#app, unit, detail, this.#out).callValue(node);
  }

  #callSource(name: string, source: Source): void {
    switch (source.kind) {
      case "function":
        return this.#callFunction(source.fn);
      case "class":
        return isClass(source.node) ? this.construct(source.node) : undefined;
      case "member":
        return this.#out.callMember(source.key);
      case "value":
        return this.callValue(source.node);
      case "param":
        if (isOutsideCallback(name) || this.#lookup.isOnlyCalled(source.fn)) return;
        return this.#callGiven(source.fn);
      case "unknown":
        return this.#out.callUnknown();
    }
  }

  /** What a function got for a parameter is called. A setter gets what is written to its property. */
  #callGiven(fn: FunctionNode): void {
    const parent = this.#names.parents.get(fn);
    const key = (parent?.type === "Property" || parent?.type === "MethodDefinition") && parent.kind === "set" ? keyName(parent.key, parent.computed) : null;
    if (key === null) this.#out.callUnknown();
    else this.#out.callWritten(key);
  }

  #callFunction(fn: FunctionNode): void {
    this.#out.call(this.#unit, this.#sites.get(fn) ?? this.#out.partOf(this.#unit, fn));
  }

  /** Whatever this expression gives is called, somewhere. Its own evaluation is seen elsewhere. */
  callValue(given: Node): void {
    const node = givenBy(given);
    if (this.#following.has(node)) return;
    this.#following.add(node);
    switch (node.type) {
      case "Identifier":
        this.callName(node.name);
        break;
      case "MemberExpression":
        this.callMember(node);
        break;
      case "ConditionalExpression":
        this.callValue(node.consequent);
        this.callValue(node.alternate);
        break;
      case "LogicalExpression":
        if (node.operator !== "&&") this.callValue(node.left);
        this.callValue(node.right);
        break;
      case "Literal":
      case "TemplateLiteral":
      case "UnaryExpression":
      case "BinaryExpression":
      case "ObjectExpression":
      case "ArrayExpression":
        break;
      case "CallExpression":
      case "NewExpression":
        // What a package makes may call what it was given, which was taken to be called when it was given.
        this.callResult(node, "call");
        break;
      default:
        if (isFunction(node)) this.#callFunction(node);
        else if (isClass(node)) this.construct(node);
        else this.#out.callUnknown();
    }
    this.#following.delete(node);
  }

  callMember(node: Extract<Node, { type: "MemberExpression" }>): void {
    const key = this.#lookup.keyOf(node);
    if ((key === "call" || key === "apply") && !node.computed) this.callValue(node.object);
    if (key === "bind" && !node.computed) this.#keepBound(node.object);
    if (key === "?" && this.#lookup.isElement(node)) return this.#out.callUnknown();
    if (node.computed && /^\d+$/.test(key)) this.#out.callContained();
    if (node.object.type === "Super" || !this.#outside.isMember(node)) this.#out.callMember(key);
  }

  #keepBound(node: Node): void {
    if (node.type === "Identifier") this.keepName(node.name, true);
    else if (node.type === "MemberExpression") this.#out.readMember(this.#lookup.keyOf(node));
    else this.handValue(node);
  }

  construct(node: ClassNode): void {
    if (this.#following.has(node)) return;
    this.#following.add(node);
    this.#out.construct(node);
    const own = node.body.body.find((member) => member.type === "MethodDefinition" && member.kind === "constructor");
    const site = own?.type === "MethodDefinition" ? this.#sites.get(own.value) : undefined;
    if (site !== undefined) this.#out.call(this.#unit, site);
    if (node.superClass) {
      this.callValue(node.superClass);
      if (this.#outside.isFunction(node.superClass)) this.#callOverrides(node, calleeName(node.superClass));
    }
    this.#following.delete(node);
  }

  /** A package's base class may call what its subclass has. */
  #callOverrides(node: ClassNode, base: string): void {
    for (const member of node.body.body) {
      if (member.type !== "MethodDefinition") continue;
      const site = this.#sites.get(member.value);
      if (site !== undefined && (!isPassiveBase(base) || site.memberName?.startsWith("_") === true)) this.#out.call(this.#unit, site);
    }
  }

  keepClass(node: ClassNode): void {
    for (const member of node.body.body) {
      const site = member.type === "MethodDefinition" && member.kind === "constructor" ? this.#sites.get(member.value) : undefined;
      if (site !== undefined) this.#out.keep(this.#unit, site, false);
    }
  }

  /** Which class the call is of is not known here: any base class in this unit may be meant. */
  superCall(): void {
    for (const sources of this.#names.sources.values()) {
      for (const source of sources) if (source.kind === "class" && isClass(source.node) && source.node.superClass) this.callValue(source.node.superClass);
    }
  }
}
