import { detailOf, findOrigin, resolveUnit, type AppShape } from "./app.ts";
import { isExportOnlyCalled, isReadMember } from "./members.ts";
import type { UnitDetail } from "./analyze.ts";
import { calleeName, fateOutside, isEmitting, isOutsideCallback, isPassiveBase } from "./callees.ts";
import { namesOf, type Names, type Source } from "./names.ts";
import { Outside } from "./outside.ts";
import { strongerFate, type ArgumentFates } from "./parameters.ts";
import type { Site } from "./sites.ts";
import { forEachChild, isClass, isFunction, keyName, type ClassNode, type FunctionNode, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

/**
 * What becomes of an expression's value: called; called if it is a function at all; kept somewhere; kept in a list, a
 * map or an object; kept by an emitter of events; given away for later requests; nothing.
 */
type Use = "call" | "hand" | "keep" | "contain" | "listen" | "drop" | "none";

/** Who walks reports what it finds. */
export interface Reached {
  /** A function may be called. */
  call(unit: string, site: Site): void;
  /** A function is kept in a place from which it may be called without its name. */
  keep(unit: string, site: Site, isContained: boolean): void;
  /** Something is called that may be any function that is kept. */
  callUnknown(): void;
  /** Something that was in a list, a map or an object may be called. */
  callContained(): void;
  /** A function listens to events. */
  listen(unit: string, site: Site): void;
  /** Code of the app emits an event. */
  callListeners(): void;
  /** A property is called or read, on an object that may be the app's. "?" for a computed one. */
  callMember(key: string): void;
  handMember(key: string): void;
  readMember(key: string): void;
  callReturned(site: Site): void;
  siteOf(fn: FunctionNode): Site | undefined;
  readonly parameters: ArgumentFates;
  /** All functions that a call by a property's name may mean; null if others may be meant, too. */
  readonly candidates: (key: string) => readonly Site[] | null;
}

/** Follows what running a piece of a unit's code may call, without running it. Over-approximates. */
export class Walker {
  readonly #app: AppShape;
  readonly #unit: string;
  readonly #detail: UnitDetail;
  readonly #names: Names;
  readonly #sites: ReadonlyMap<Node, Site>;
  readonly #out: Reached;
  readonly #outside: Outside;
  readonly #following = new Set<Node>();

  constructor(app: AppShape, unit: string, detail: UnitDetail, out: Reached) {
    this.#app = app;
    this.#unit = unit;
    this.#detail = detail;
    this.#names = namesOf(detail);
    this.#outside = new Outside(app, unit, detail);
    this.#sites = detail.facts.byFunction;
    this.#out = out;
  }

  /** The unit's top level runs. */
  runProgram(): void {
    forEachChild(this.#detail.program, (child) => this.#visit(child, "none"));
  }

  /** A function runs. */
  runFunction(fn: FunctionNode): void {
    for (const param of fn.params) this.#pattern(param);
    this.#visit(fn.body, fn.body.type === "BlockStatement" ? "none" : "keep");
  }

  /** A value that some property was given is called. */
  callValue(node: Node): void {
    this.#callValue(node);
  }

  #visit(node: Node | null | undefined, use: Use): void {
    if (!node) return;
    if (isFunction(node)) return this.#function(node, use);
    if (isClass(node)) return this.#class(node, use);
    switch (node.type) {
      case "Identifier":
        return this.#identifier(node, use);
      case "MemberExpression":
        return this.#member(node, use);
      case "ChainExpression":
      case "ParenthesizedExpression":
        return this.#visit(node.expression, use);
      case "AwaitExpression":
      case "SpreadElement":
        return this.#visit(node.argument, use);
      case "CallExpression":
      case "NewExpression":
        this.#call(node);
        if (use === "call") this.#callResult(node, "call");
        else if (use === "hand" || use === "listen") this.#callResult(node, "hand");
        return;
      case "TaggedTemplateExpression":
        this.#visit(node.tag, "call");
        for (const expression of node.quasi.expressions) this.#visit(expression, "hand");
        return;
      case "AssignmentExpression":
        this.#pattern(node.left);
        return this.#visit(node.right, use === "call" || use === "hand" ? use : "keep");
      case "VariableDeclarator":
        this.#pattern(node.id);
        // A function behind a name is called by that name.
        return this.#visit(node.init, node.init && isFunction(node.init) && node.id.type === "Identifier" ? "drop" : "keep");
      case "SequenceExpression":
        node.expressions.forEach((expression, i) => this.#visit(expression, i === node.expressions.length - 1 ? use : "none"));
        return;
      case "ConditionalExpression":
        this.#visit(node.test, "none");
        this.#visit(node.consequent, use);
        return this.#visit(node.alternate, use);
      case "LogicalExpression":
        // What comes of `a && b` is b, or nothing that could be called.
        this.#visit(node.left, node.operator === "&&" ? "none" : use);
        // As bundlers write for whoever reads exports from the text: `0 && (module.exports = { … })`.
        if (node.operator === "&&" && node.left.type === "Literal" && !node.left.value) return;
        return this.#visit(node.right, use);
      case "ObjectExpression": {
        const inside = use === "none" || use === "keep" ? "contain" : use === "call" ? "hand" : use;
        for (const property of node.properties) {
          if (property.type === "SpreadElement") this.#visit(property.argument, inside);
          else {
            if (property.computed) this.#visit(property.key, "none");
            this.#visit(property.value, inside);
          }
        }
        return;
      }
      case "ArrayExpression":
        for (const element of node.elements) this.#visit(element, use === "none" || use === "keep" ? "contain" : use === "call" ? "hand" : use);
        return;
      case "ReturnStatement":
      case "ThrowStatement":
      case "YieldExpression":
        return this.#visit(node.argument, "keep");
      case "ExportDefaultDeclaration":
        return this.#visit(node.declaration, isFunction(node.declaration) ? "drop" : "keep");
      case "ExportNamedDeclaration":
        return this.#visit(node.declaration, "none");
      case "ForOfStatement":
      case "ForInStatement":
        this.#visit(node.left.type === "VariableDeclaration" ? null : node.left, "none");
        if (node.left.type === "VariableDeclaration") this.#pattern(node.left.declarations[0]!.id);
        this.#visit(node.right, "keep");
        return this.#visit(node.body, "none");
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "MetaProperty":
      case "LabeledStatement":
      case "BreakStatement":
      case "ContinueStatement":
        if (node.type === "LabeledStatement") this.#visit(node.body, "none");
        return;
      case "CatchClause":
        this.#pattern(node.param);
        return this.#visit(node.body, "none");
      case "ObjectPattern":
      case "ArrayPattern":
      case "AssignmentPattern":
      case "RestElement":
        return this.#pattern(node);
      default:
        forEachChild(node, (child) => this.#visit(child, "none"));
    }
  }

  /** A function written here. Without a guard of its own it is part of this text, and taken to run with it. */
  #function(node: FunctionNode, use: Use): void {
    const site = this.#sites.get(node);
    if (site === undefined) {
      for (const param of node.params) this.#pattern(param);
      return this.#visit(node.body, "keep");
    }
    if (use === "call" || use === "hand") this.#out.call(this.#unit, site);
    else if (use === "listen") this.#out.listen(this.#unit, site);
    else if (use === "keep" || use === "contain") this.#out.keep(this.#unit, site, use === "contain");
  }

  #class(node: ClassNode, use: Use): void {
    this.#visit(node.superClass, "keep");
    for (const member of node.body.body) {
      if (member.type === "StaticBlock") {
        for (const statement of member.body) this.#visit(statement, "none");
        continue;
      }
      if (member.computed) this.#visit(member.key, "none");
      if (member.type === "PropertyDefinition") this.#visit(member.value, "keep");
      else if (!this.#sites.has(member.value)) this.#function(member.value, "keep");
    }
    if (use === "call" || use === "hand") this.#construct(node);
    else if (use === "keep" || use === "contain") this.#keepClass(node);
  }

  #construct(node: ClassNode): void {
    if (this.#following.has(node)) return;
    this.#following.add(node);
    const own = node.body.body.find((member) => member.type === "MethodDefinition" && member.kind === "constructor");
    const site = own?.type === "MethodDefinition" ? this.#sites.get(own.value) : undefined;
    if (site !== undefined) this.#out.call(this.#unit, site);
    if (node.superClass) {
      this.#callValue(node.superClass);
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

  #keepClass(node: ClassNode): void {
    for (const member of node.body.body) {
      const site = member.type === "MethodDefinition" && member.kind === "constructor" ? this.#sites.get(member.value) : undefined;
      if (site !== undefined) this.#out.keep(this.#unit, site, false);
    }
  }

  /** What a pattern does when it takes a value apart: defaults, computed keys, getters. */
  #pattern(node: Node | null | undefined): void {
    switch (node?.type) {
      case undefined:
      case "Identifier":
        return;
      case "AssignmentPattern":
        this.#pattern(node.left);
        return this.#visit(node.right, "keep");
      case "ObjectPattern":
        for (const property of node.properties) {
          if (property.type === "RestElement") this.#out.readMember("?");
          else {
            if (property.computed) this.#visit(property.key, "none");
            this.#out.readMember(keyName(property.key, property.computed) ?? "?");
            this.#pattern(property.value);
          }
        }
        return;
      case "ArrayPattern":
        for (const element of node.elements) this.#pattern(element);
        return;
      case "RestElement":
        return this.#pattern(node.argument);
      default:
        return this.#visit(node, "none");
    }
  }

  #identifier(node: Extract<Node, { type: "Identifier" }>, use: Use): void {
    if (use === "call") return this.#callName(node.name);
    if (use === "hand") return this.#handName(node.name);
    if (use === "listen") {
      const fn = this.#functionOf(node);
      const site = fn === null ? undefined : this.#out.siteOf(fn);
      if (site === undefined) this.#handName(node.name);
      else this.#out.listen(this.#unit, site);
    }
    if (use === "keep" || use === "contain") this.#keepName(node.name, use === "contain");
  }

  /** A name's value is handed to somebody who may call it: if it is a function that has a name or is taken from a property. */
  #handName(name: string): void {
    const { facts } = this.#detail;
    const sources = this.#names.sources.get(name) ?? [];
    if (facts.imports.has(name) || facts.byKey.has(name)) return this.#callName(name);
    for (const source of sources) {
      if (source.kind === "function" || source.kind === "class") this.#callSource(name, source);
      else if (source.kind === "member") this.#out.handMember(source.key);
      else if (source.kind === "value") this.handValue(source.node);
      else if (source.kind === "unknown" || (!isOutsideCallback(name) && !this.#isOnlyCalled(source.fn))) this.#out.callContained();
    }
  }

  /** What a call gave is called or handed on: the functions that the callee returns, or what a list or a map holds. */
  #callResult(call: Call, use: "call" | "hand"): void {
    const { callee } = call;
    if (call.type === "NewExpression" || callee.type === "Super") return;
    const name = calleeName(callee);
    if (callee.type === "Identifier" && callee.name === "require") {
      const [specifier] = call.arguments;
      const unit = specifier?.type === "Literal" ? resolveUnit(this.#app, this.#unit, String(specifier.value)) : null;
      if (unit !== null) this.#callExports(unit);
      return;
    }
    if ((callee.type === "Identifier" && this.#outside.isFunction(callee)) || isHelper(callee)) return;
    if (callee.type === "MemberExpression") {
      const inside = this.#out.candidates(name);
      if (inside?.length === 0 && use === "hand") return takers.has(name) ? this.#out.callContained() : undefined;
      if (inside !== null && inside.length > 0) for (const site of inside) this.#out.callReturned(site);
    } else {
      const fn = callee.type === "Identifier" ? this.#functionOf(callee) : null;
      const site = fn === null ? undefined : this.#out.siteOf(fn);
      if (site !== undefined) return this.#out.callReturned(site);
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
        if (node.argument.type === "CallExpression") this.#callResult(node.argument, "hand");
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
  handValue(node: Node): void {
    if (this.#following.has(node)) return;
    this.#following.add(node);
    switch (node.type) {
      case "Identifier":
        this.#handName(node.name);
        break;
      case "MemberExpression":
        this.#handMember(node);
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
        this.#callResult(node, "hand");
        break;
      case "AwaitExpression":
        this.handValue(node.argument);
        break;
      default:
        if (isFunction(node)) this.#callFunction(node);
        else if (isClass(node)) this.#construct(node);
    }
    this.#following.delete(node);
  }

  #handMember(node: Extract<Node, { type: "MemberExpression" }>): void {
    const key = this.#keyOf(node);
    if (this.#outside.isValue(node.object)) return;
    if (key === "?") this.#out.callContained();
    else this.#out.handMember(key);
  }

  /** A name's function may be found where this value goes. */
  #keepName(name: string, isContained: boolean): void {
    const { facts } = this.#detail;
    const imported = facts.imports.get(name);
    if (imported !== undefined) {
      const origin = this.#originOf(imported.specifier, imported.imported);
      if (origin === null) return;
      const there = detailOf(this.#app, origin.unit)!;
      return new Walker(this.#app, origin.unit, there, this.#out).#keepName(origin.local, isContained);
    }
    for (const source of this.#names.sources.get(name) ?? []) {
      if (source.kind === "function") this.#keepFunction(source.fn, isContained);
      else if (source.kind === "class" && isClass(source.node)) this.#keepClass(source.node);
      else if (source.kind === "value" && isFunction(source.node)) this.#keepFunction(source.node, isContained);
    }
    const site = facts.byKey.get(name);
    if (site !== undefined) this.#out.keep(this.#unit, site, isContained);
  }

  #keepFunction(fn: FunctionNode, isContained: boolean): void {
    const site = this.#sites.get(fn);
    if (site !== undefined) this.#out.keep(this.#unit, site, isContained);
  }

  #originOf(specifier: string, imported: string): { unit: string; local: string } | null {
    const unit = resolveUnit(this.#app, this.#unit, specifier);
    if (unit === null || imported === "*") return null;
    const origin = findOrigin(this.#app, unit, imported);
    if (origin.kind === "binding") return origin;
    // CommonJS: the name is a property of whatever it exports.
    this.#out.callMember(imported);
    return null;
  }

  #callName(name: string): void {
    const { facts } = this.#detail;
    const imported = facts.imports.get(name);
    if (imported !== undefined) {
      const unit = resolveUnit(this.#app, this.#unit, imported.specifier);
      if (unit === null) return;
      if (detailOf(this.#app, unit) === null) return;
      const origin = this.#originOf(imported.specifier, imported.imported);
      if (origin !== null) return new Walker(this.#app, origin.unit, detailOf(this.#app, origin.unit)!, this.#out).#callName(origin.local);
      if (imported.imported === "default" || imported.imported === "*") this.#callExports(unit);
      return;
    }
    const site = facts.byKey.get(name);
    if (site !== undefined) this.#out.call(this.#unit, site);
    const sources = this.#names.sources.get(name);
    if (sources === undefined) {
      if (site === undefined && !(name in globalThis) && name !== "require" && name !== "import") this.#out.callUnknown();
      return;
    }
    for (const source of sources) this.#callSource(name, source);
  }

  /** A CommonJS unit's whole export is called. */
  #callExports(unit: string): void {
    const detail = detailOf(this.#app, unit);
    const exported = detail === null ? undefined : namesOf(detail).members.get("exports");
    if (detail === null || exported === undefined) return this.#out.callUnknown();
    for (const node of exported) new Walker(this.#app, unit, detail, this.#out).callValue(node);
  }

  #callSource(name: string, source: Source): void {
    switch (source.kind) {
      case "function":
        return this.#callFunction(source.fn);
      case "class":
        return isClass(source.node) ? this.#construct(source.node) : undefined;
      case "member":
        return this.#out.callMember(source.key);
      case "value":
        return this.#callValue(source.node);
      case "param":
        if (!isOutsideCallback(name) && !this.#isOnlyCalled(source.fn)) this.#out.callUnknown();
        return;
      case "unknown":
        return this.#out.callUnknown();
    }
  }

  /**
   * True if a function is only ever called by its name: what it gets for its parameters is what those calls say, and
   * functions given to it there are taken to be called there.
   */
  #isOnlyCalled(fn: FunctionNode): boolean {
    const parent = this.#names.parents.get(fn);
    if (fn.type === "FunctionDeclaration" && fn.id) return this.#isNameOnlyCalled(fn.id.name);
    switch (parent?.type) {
      case "VariableDeclarator":
        return parent.id.type === "Identifier" && this.#isNameOnlyCalled(parent.id.name);
      case "MethodDefinition":
        return parent.kind === "constructor" || !isReadMember(this.#app, keyName(parent.key, parent.computed) ?? "?");
      case "NewExpression":
        return parent.callee.type === "Identifier" && parent.callee.name === "Promise";
      default:
        return false;
    }
  }

  #isNameOnlyCalled(name: string): boolean {
    if (this.#names.usedAsValue.has(name)) return false;
    const { exports } = this.#detail.facts;
    for (const binding of exports.values()) if (binding.kind === "local" && binding.local === name) return isExportOnlyCalled(this.#app, this.#unit, name);
    return true;
  }

  #callFunction(fn: FunctionNode): void {
    const site = this.#sites.get(fn);
    // Without a guard it belongs to the text around it, which is walked whole.
    if (site !== undefined) this.#out.call(this.#unit, site);
  }

  /** Whatever this expression gives is called, somewhere. Its own evaluation is seen elsewhere. */
  #callValue(node: Node): void {
    if (this.#following.has(node)) return;
    this.#following.add(node);
    switch (node.type) {
      case "Identifier":
        this.#callName(node.name);
        break;
      case "MemberExpression":
        this.#callMember(node);
        break;
      case "ConditionalExpression":
        this.#callValue(node.consequent);
        this.#callValue(node.alternate);
        break;
      case "LogicalExpression":
        if (node.operator !== "&&") this.#callValue(node.left);
        this.#callValue(node.right);
        break;
      case "AssignmentExpression":
        this.#callValue(node.right);
        break;
      case "AwaitExpression":
        this.#callValue(node.argument);
        break;
      case "ChainExpression":
        this.#callValue(node.expression);
        break;
      case "SequenceExpression":
        this.#callValue(node.expressions.at(-1)!);
        break;
      case "Literal":
      case "TemplateLiteral":
      case "ObjectExpression":
      case "ArrayExpression":
        break;
      case "CallExpression":
      case "NewExpression":
        // What a package makes may call what it was given, which was taken to be called when it was given.
        this.#callResult(node, "call");
        break;
      default:
        if (isFunction(node)) this.#callFunction(node);
        else if (isClass(node)) this.#construct(node);
        else this.#out.callUnknown();
    }
    this.#following.delete(node);
  }

  #member(node: Extract<Node, { type: "MemberExpression" }>, use: Use): void {
    this.#visit(node.object, "none");
    if (node.computed) this.#visit(node.property, "none");
    if (use === "call") return this.#callMember(node);
    if (use === "hand" || use === "listen") this.#handMember(node);
    const key = this.#keyOf(node);
    if (key === "?" && use !== "keep" && this.#isIndex(node.property)) return;
    if (!this.#outside.isValue(node.object)) this.#out.readMember(key);
  }

  #keyOf(node: Extract<Node, { type: "MemberExpression" }>): string {
    if (!node.computed) return keyName(node.property, false) ?? "?";
    const { property } = node;
    if (property.type === "Literal") return String(property.value);
    if (property.type === "UpdateExpression" || (property.type === "BinaryExpression" && property.operator !== "+")) return "0";
    return "?";
  }

  #callMember(node: Extract<Node, { type: "MemberExpression" }>): void {
    const key = this.#keyOf(node);
    if ((key === "call" || key === "apply") && !node.computed) this.#callValue(node.object);
    if (key === "bind" && !node.computed) this.#visit(node.object, "keep");
    if (key === "?" && this.#isElement(node)) return this.#out.callUnknown();
    if (node.object.type === "Super" || !this.#outside.isValue(node.object)) this.#out.callMember(key);
  }

  /** True for a name that only ever counts: reading there finds an element, and runs no getter. */
  #isIndex(property: Node): boolean {
    if (property.type !== "Identifier") return property.type === "UpdateExpression" || (property.type === "Literal" && typeof property.value === "number");
    const sources = this.#names.sources.get(property.name);
    return sources !== undefined && sources.every((source) => source.kind === "value" && isNumber(source.node));
  }

  /** True if what is taken is surely in a list or an object literal: what is there was seen to be put there. */
  #isElement({ object, property }: Extract<Node, { type: "MemberExpression" }>): boolean {
    if (this.#isIndex(property)) return true;
    if (object.type !== "Identifier") return object.type === "ObjectExpression";
    const sources = this.#names.sources.get(object.name);
    return sources !== undefined && sources.every((source) => source.kind === "value" && (source.node.type === "ObjectExpression" || source.node.type === "ArrayExpression"));
  }

  /** `__decorate([decorators], target, key, descriptor)`, as TypeScript writes it. */
  #decorate({ arguments: [decorators, target, key] }: Call): void {
    if (decorators?.type !== "ArrayExpression") return this.#out.callUnknown();
    for (const decorator of decorators.elements) this.#visit(decorator, "call");
    if (target) this.#visit(target, "none");
    const isForeign = decorators.elements.every((decorator) => decorator?.type === "CallExpression" && (this.#outside.isFunction(decorator.callee) || isHelper(decorator.callee)));
    if (isForeign) return;
    if (key?.type === "Literal") this.#out.handMember(String(key.value));
    this.#out.callUnknown();
  }

  #call(node: Call): void {
    const { callee } = node;
    if (isHelper(callee)) {
      if (calleeName(callee) === "__decorate") return this.#decorate(node);
      for (const argument of node.arguments) this.#visit(argument, "hand");
      return;
    }
    if (callee.type === "Super") this.#superCall();
    else this.#visit(callee, "call");
    const name = calleeName(callee);
    if (isEmitting(name)) this.#out.callListeners();
    if (name === "construct" || (name === "apply" && callee.type === "MemberExpression" && callee.object.type === "Identifier" && callee.object.name === "Reflect")) {
      if (node.arguments[0]) this.#visit(node.arguments[0], "call");
    }
    const isOutside = callee.type === "MemberExpression" ? this.#outside.isValue(callee.object) : this.#outside.isFunction(callee);
    node.arguments.forEach((argument, index) => this.#visit(argument, this.#argumentUse(node, argument, index, name, isOutside)));
  }

  #argumentUse(call: Call, argument: Node, index: number, name: string, isOutside: boolean): Use {
    const outside = fateOutside(name, call, argument, (node) => this.#functionOf(node));
    if (isOutside) return useOf[outside];
    const { callee } = call;
    if (callee.type === "MemberExpression") {
      if (this.#out.candidates(name) === null) return outside === "kept" ? "hand" : "call";
      return useOf[strongerFate(outside, this.#out.parameters.fateInMember(name, index, call))];
    }
    const fn = callee.type === "Identifier" ? this.#functionOf(callee) : null;
    return fn === null ? "hand" : useOf[this.#out.parameters.fateIn(fn, index, call)];
  }

  #functionOf(node: Node): FunctionNode | null {
    if (isFunction(node)) return node;
    if (node.type !== "Identifier") return null;
    const imported = this.#detail.facts.imports.get(node.name);
    if (imported !== undefined) {
      const unit = resolveUnit(this.#app, this.#unit, imported.specifier);
      const origin = unit === null ? null : findOrigin(this.#app, unit, imported.imported);
      return origin?.kind === "binding" ? (detailOf(this.#app, origin.unit)?.facts.byKey.get(origin.local)?.fn ?? null) : null;
    }
    return this.#detail.facts.byKey.get(node.name)?.fn ?? null;
  }

  /** Which class the call is of is not known here: any base class in this unit may be meant. */
  #superCall(): void {
    for (const sources of this.#names.sources.values()) {
      for (const source of sources) if (source.kind === "class" && isClass(source.node) && source.node.superClass) this.#callValue(source.node.superClass);
    }
  }
}

/** Methods by which something is taken out of a list or a map. */
const takers = new Set(["get", "pop", "shift", "at", "find", "findLast", "next", "values", "entries", "slice", "filter", "concat", "flat", "map", "reduce", "?"]);

const useOf = { called: "call", handed: "hand", contained: "contain", listening: "listen", kept: "drop" } as const;

/** What TypeScript writes for decorators. */
function isHelper(callee: Node): boolean {
  return /^__(decorate|metadata|param)$/.test(calleeName(callee));
}

function isNumber(node: Node): boolean {
  if (node.type === "Literal") return typeof node.value === "number";
  return node.type === "BinaryExpression" && ["-", "*", "/", "%", ">>", ">>>", "|"].includes(node.operator);
}
