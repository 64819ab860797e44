import type { AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { definitionsOf, descriptorsOf, isDefining, partsOf, type Definitions } from "./defined.ts";
import { calleeName, fateOutside, isCodeRunner, isEmitting, isPrinting, isReflections, isWholeReader, wordsIn } from "./callees.ts";
import { Decorations } from "./decorations.ts";
import { decorated, type Decorated } from "./decorators.ts";
import { declaresHelper, helperOf, type Helper } from "./helpers.ts";
import { Lookup } from "./lookup.ts";
import { lookedFor, membersLookedFor } from "./looks.ts";
import { Outside } from "./outside.ts";
import { strongerFate } from "./parameters.ts";
import { takeApart } from "./patterns.ts";
import type { Reached } from "./reached.ts";
import type { Site } from "./sites.ts";
import { useOf, type Use } from "./use.ts";
import { forEachChild, isClass, isFunction, keyName, type ClassNode, type FunctionNode, type Node } from "./syntax.ts";
import { Values } from "./values.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

/** Follows what running a piece of a unit's code may call, without running it. Over-approximates. */
export class Walker {
  readonly #unit: string;
  readonly #detail: UnitDetail;
  readonly #sites: ReadonlyMap<Node, Site>;
  readonly #out: Reached;
  readonly #outside: Outside;
  readonly #lookup: Lookup;
  readonly #values: Values;
  readonly decorations: Decorations;
  readonly #defined: Definitions;

  constructor(app: AppShape, unit: string, detail: UnitDetail, out: Reached) {
    this.#unit = unit;
    this.#detail = detail;
    this.#sites = detail.facts.byFunction;
    this.#out = out;
    this.#outside = new Outside(app, unit, detail);
    this.#lookup = new Lookup(app, unit, detail);
    this.#values = new Values(app, unit, detail, out);
    this.decorations = new Decorations(detail, this.#lookup, this.#outside, out.candidates);
    this.#defined = definitionsOf(detail);
  }

  /** The unit's top level runs. */
  runProgram(): void {
    forEachChild(this.#detail.program, (child) => this.#visit(child, "none"));
  }

  /** A piece of a function runs, once, and what it gives is kept. */
  runOnce(node: Node): void {
    this.#visit(node, "keep");
  }

  /** A value is handed to code that calls it once, and keeps what that gives. */
  runGiven(node: Node): void {
    this.#visit(node, "hand");
  }

  /** A function runs. */
  runFunction(fn: FunctionNode): void {
    for (const param of fn.params) this.#pattern(param);
    this.#visit(fn.body, fn.body.type === "BlockStatement" ? "none" : "keep");
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
        return this.#visit(node.argument, use);
      case "SpreadElement":
        this.#visit(node.argument, use);
        return use === "call" || use === "hand" ? this.#values.handAll(node.argument) : undefined;
      case "CallExpression":
      case "NewExpression":
        this.#call(node, use);
        if (use === "call") this.#values.callResult(node, "call");
        else if (use === "hand" || use === "listen") this.#values.callResult(node, "hand");
        return;
      case "TaggedTemplateExpression":
        this.#visit(node.tag, "call");
        for (const expression of node.quasi.expressions) this.#visit(expression, "hand");
        if (use === "call" || use === "hand") this.#out.callUnknown();
        return;
      case "AssignmentExpression":
        this.#pattern(node.left);
        // `+=` reads before it writes.
        if (node.operator !== "=" && node.left.type === "MemberExpression") this.#visit(node.left, "none");
        return this.#visit(node.right, use === "call" || use === "hand" ? use : "keep");
      case "UpdateExpression":
        if (node.argument.type === "MemberExpression") this.#pattern(node.argument);
        return this.#visit(node.argument, "none");
      case "VariableDeclarator":
        if (node.id.type === "Identifier" && declaresHelper(node.id.name, this.#detail)) return;
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
          if (property.type === "SpreadElement") {
            this.#out.runAccessors();
            this.#visit(property.argument, inside);
          } else {
            if (property.computed) this.#visit(property.key, "none");
            // Under a symbol, such as Symbol.iterator or inspect.custom: whoever knows it calls it.
            this.#visit(property.value, property.computed && property.key.type === "MemberExpression" ? "hand" : inside);
          }
        }
        return;
      }
      case "ArrayExpression":
        for (const element of node.elements) this.#visit(element, use === "none" || use === "keep" ? "contain" : use === "call" ? "hand" : use);
        return;
      case "ReturnStatement":
      case "ThrowStatement":
        return this.#visit(node.argument, "keep");
      case "YieldExpression":
        return this.#visit(node.argument, "hand");
      case "BinaryExpression":
        if (node.operator === "in") this.#out.lookFor(lookedFor(node.left));
        return forEachChild(node, (child) => this.#visit(child, "none"));
      case "ExportDefaultDeclaration":
        return this.#visit(node.declaration, isFunction(node.declaration) ? "drop" : "keep");
      case "ExportNamedDeclaration":
        return this.#visit(node.declaration, "none");
      case "ForOfStatement":
      case "ForInStatement":
        if (node.left.type !== "VariableDeclaration") this.#pattern(node.left);
        if (node.left.type === "VariableDeclaration") this.#pattern(node.left.declarations[0]!.id);
        this.#visit(node.right, "keep");
        return this.#visit(node.body, "none");
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "MetaProperty":
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

  /** A function written here. Used on the spot, without a guard of its own, it is part of this text and runs with it. */
  #function(node: FunctionNode, use: Use): void {
    const isKept = use === "keep" || use === "contain" || use === "listen" || use === "drop";
    const site = this.#sites.get(node) ?? (isKept ? this.#out.partOf(this.#unit, node) : undefined);
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
      // A method without a guard, of a class that a function makes: its name calls it.
      else if (!this.#sites.has(member.value)) {
        this.#function(member.value, "keep");
        const key = keyName(member.key, member.computed);
        if (key !== null && member.kind !== "constructor") this.#out.keepMember(this.#unit, this.#out.partOf(this.#unit, member.value), key);
      }
    }
    if (use === "call" || use === "hand") this.#values.construct(node);
    else if (use === "keep" || use === "contain") this.#values.keepClass(node);
  }

  #pattern(node: Node | null | undefined): void {
    takeApart(node, {
      visit: (part, isKept) => this.#visit(part, isKept ? "keep" : "none"),
      read: (key) => this.#out.readMember(key),
      write: (member) => {
        if (this.#lookup.keyOf(member) === "?" && this.#lookup.isIndex(member.property)) return;
        if (!this.#outside.isValue(member.object)) this.#out.writeMember(this.#lookup.keyOf(member));
      },
    });
  }

  #identifier(node: Extract<Node, { type: "Identifier" }>, use: Use): void {
    if (use === "call") return this.#values.callName(node.name);
    if (use === "hand") return this.#values.handName(node.name);
    if (use === "listen") {
      const fn = this.#lookup.functionOf(node);
      const site = fn === null ? undefined : this.#out.siteOf(fn);
      if (site === undefined) this.#values.handName(node.name);
      else this.#out.listen(this.#unit, site);
    }
    if (use === "keep" || use === "contain") this.#values.keepName(node.name, use === "contain");
  }

  #member(node: Extract<Node, { type: "MemberExpression" }>, use: Use): void {
    this.#visit(node.object, "none");
    if (node.computed) this.#visit(node.property, "none");
    if (use === "call") return this.#values.callMember(node);
    if (use === "hand" || use === "listen") this.#values.handMember(node);
    const key = this.#lookup.keyOf(node);
    if (key === "?" && use !== "keep" && this.#lookup.isIndex(node.property)) return;
    if (!this.#outside.isMember(node)) this.#out.readMember(key);
  }

  /** A compiler's helper is called. */
  #helper(helper: Helper, node: Call, use: Use): void {
    const [first, ...rest] = node.arguments;
    switch (helper) {
      case "decorate":
        return this.#decorate(node);
      case "pass":
        this.#visit(first, use === "none" ? "keep" : use);
        for (const argument of rest) this.#visit(argument, "none");
        return;
      case "export":
        for (const argument of node.arguments) this.#visit(argument, "contain");
        return;
      case "run":
        for (const argument of node.arguments) this.#visit(argument, "call");
        return;
      case "plain":
        if (/spread|rest|copy/i.test(calleeName(node.callee))) this.#out.runAccessors();
        for (const argument of node.arguments) this.#visit(argument, "hand");
        // It calls what is in its list.
        if (/runInitializers/.test(calleeName(node.callee))) for (const argument of node.arguments) this.#values.handAll(argument);
    }
  }

  /** Decorators run while the class is made, and get what they are applied to. */
  #decorate(node: Call): void {
    const found = decorated(calleeName(node.callee), node.arguments, this.#detail);
    if (found === null) {
      for (const argument of node.arguments) this.#visit(argument, "hand");
      this.#out.callMember("?");
      return;
    }
    for (const argument of node.arguments) this.#visit(argument, "none");
    for (const one of found) this.#apply(one);
  }

  #apply(one: Decorated): void {
    const { decorators, key } = one;
    for (const decorator of decorators) this.#visit(decorator, "call");
    const effect = this.decorations.effectOf(one);
    if (effect === "none") return;
    if (effect === "keeps") return key === null ? undefined : this.#out.readMember(key);
    if (key !== null) this.#out.handMember(key);
    this.#out.callUnknown();
  }

  #call(node: Call, use: Use): void {
    const { callee } = node;
    if (isDefining(node, this.#detail)) {
      for (const { node: part, use } of partsOf(node, this.#defined)) this.#visit(part, use);
      for (const { key, descriptor } of descriptorsOf(node)) {
        this.#out.lookFor(typeof key === "string" ? key : lookedFor(key));
        // A description that is written elsewhere: its getter is whoever's who reads the property.
        if (descriptor.type !== "ObjectExpression") this.#values.handAll(descriptor);
      }
      return;
    }
    const helper = helperOf(callee, this.#detail);
    if (helper !== null) return this.#helper(helper, node, use);
    if (callee.type === "Super") this.#values.superCall();
    // `new this()`, `new new.target()`: any class of the app.
    else if (callee.type === "ThisExpression" || callee.type === "MetaProperty") this.#out.callMember("constructor");
    else this.#visit(callee, "call");
    const name = calleeName(callee);
    if (isCodeRunner(callee.type === "SequenceExpression" ? calleeName(callee.expressions.at(-1)!) : name)) this.#runText(node);
    if (name === "Proxy" && node.type === "NewExpression") {
      node.arguments.forEach((argument) => this.#values.handAll(argument));
      // What its traps give is found under any name.
      this.#out.callUnknown();
    }
    for (const key of membersLookedFor(node, name)) this.#out.lookFor(key);
    if (name === "get" && isReflections(callee) && node.arguments.length > 1) this.#out.readMember(lookedFor(node.arguments[1]));
    if (isEmitting(name)) this.#out.callListeners();
    if (isWholeReader(name)) this.#out.runAccessors();
    if (name === "from" && node.arguments[0] && !this.#outside.isValue(node.arguments[0])) for (const key of ["length", "0"]) this.#out.readMember(key);
    if (isPrinting(name) && !node.arguments.every((argument) => argument.type === "Literal")) this.#values.handPrinted();
    if (name === "construct" || (name === "apply" && callee.type === "MemberExpression" && isReflections(callee))) {
      if (node.arguments[0]) this.#visit(node.arguments[0], "call");
    }
    const isOutside = callee.type === "MemberExpression" ? this.#outside.isMember(callee) : this.#outside.isFunction(callee);
    node.arguments.forEach((argument, index) => this.#visit(argument, this.#argumentUse(node, argument, index, name, isOutside)));
  }

  /** Code in a text: whatever it names may be what it calls, as a property of the global object. */
  #runText(node: Call): void {
    for (const argument of node.arguments) for (const word of wordsIn(argument) ?? ["?"]) this.#out.callMember(word);
  }

  #argumentUse(call: Call, argument: Node, index: number, name: string, isOutside: boolean): Use {
    if (this.#defined.functions.has(argument)) return "drop";
    const outside = fateOutside(name, call, argument, (node) => this.#lookup.functionOf(node));
    if (isOutside) return useOf[outside];
    const { callee } = call;
    if (callee.type === "MemberExpression") {
      if (this.#out.candidates(name) === null) return outside === "kept" ? "hand" : "call";
      return useOf[strongerFate(outside, this.#out.parameters.fateInMember(name, index, call))];
    }
    const fn = callee.type === "Identifier" ? this.#lookup.functionOf(callee) : null;
    return fn === null ? "hand" : useOf[this.#out.parameters.fateIn(fn, index, call)];
  }
}
