import { callOf, handleOf, nameOf, useOf } from "./item-uses.ts";
import { unitCount, type Expression, type Item, type ItemKind, type Program } from "./program.ts";

const unitPath = (unit: number): string => `u${unit}.mjs`;

/** Prints a program's units. `shared`: items whose handles are taken before the first swap; `later`: after each. Items refer only to earlier ones, so that nothing recurses. */
export function printProgram(items: Program, shared: ReadonlySet<number>, later: ReadonlySet<number> = shared): Record<string, string> {
  const imports = new Map<number, Set<Item>>();
  const lines = new Map<number, string[]>();
  for (let unit = 0; unit < unitCount; unit++) {
    imports.set(unit, new Set());
    lines.set(unit, []);
  }

  function print(item: Item, expression: Expression, param: string): string {
    const inner = (one: Expression): string => print(item, one, param);
    switch (expression.kind) {
      case "number":
        return String(expression.value);
      case "param":
        return param;
      case "use": {
        const used = items.find((other) => other.id === expression.item);
        // Units import only those with a lower number, so that there are no cycles.
        if (used === undefined || used.id >= item.id || used.unit > item.unit) return "0";
        // Its name is for other units only.
        if (used.kind === "alias" && used.unit === item.unit) return "0";
        // Taking a handle must leave no trace: what a later text does would differ from what an earlier one did.
        if (eager.has(item.kind) && isStateful(used, items)) return "0";
        if (used.unit !== item.unit) imports.get(item.unit)!.add(used);
        return useOf(used, inner(expression.argument));
      }
      case "sum":
        return `(${inner(expression.left)}+${inner(expression.right)})`;
      case "list":
        return `[${inner(expression.left)},${inner(expression.right)}]`;
      case "map":
        return `[1,2].map((q)=>[q,${inner(expression.item)}])`;
      case "choice":
        return `(${inner(expression.test)}?${inner(expression.right)}:7)`;
    }
  }

  for (const item of items) {
    const name = nameOf(item);
    const out = lines.get(item.unit)!;
    const first = (param: string): string => print(item, item.first, param);
    const second = (param: string): string => print(item, item.second, param);
    const base = items.find((other) => other.kind === "class" && other.unit === item.unit && other.id < item.id);
    switch (item.kind) {
      case "function":
        out.push(`export function ${name}(v){ return ${first("v")}; }`);
        break;
      case "default":
        out.push(`export function ${name}(v,w=${second("v")},{z}={z:1}){ return [w,z,${first("v")}]; }`);
        break;
      case "arrow":
        out.push(`export const ${name}=(v)=>${first("v")};`);
        break;
      case "async":
        out.push(`export async function ${name}(v){ await null; return ${first("v")}; }`);
        break;
      case "generator":
        out.push(`export function* ${name}(v){ yield ${first("v")}; yield ${second("v")}; }`);
        break;
      case "table":
        out.push(`export const ${name}={a:${literal(item.first)},b:{c:${literal(item.second)}}};`);
        break;
      case "list":
        out.push(`export const ${name}=[{a:${literal(item.first)}},{a:${literal(item.second)}}];`);
        break;
      case "derived":
        out.push(`export const ${name}=${derived(item)};`);
        break;
      case "counter":
        out.push(`let n${item.id}=${literal(item.second)};`, `export function ${name}(v){ n${item.id}+=1; return [n${item.id},${first("v")}]; }`);
        break;
      case "class":
        out.push(`export class ${name}{ f=1; #p=2; constructor(v){this.v=v;} m(v){ return [this.#q(v),this.g,this.v]; } #q(v){ return [this.#p,${first("v")}]; } get g(){ return ${second("this.f")}; } static s(v){ return ${first("v")}; } }`);
        break;
      case "subclass":
        if (base === undefined) out.push(`export class ${name}{ m(v){ return ${first("v")}; } }`);
        else out.push(`export class ${name} extends ${nameOf(base)}{ m(v){ return [super.m(v),${first("v")}]; } }`);
        break;
      case "object":
        out.push(`export const ${name}={ m(v){ return [this.n(v),${first("v")}]; }, n:(v)=>${second("v")}, get g(){ return ${first("1")}; } };`);
        break;
      case "closure":
        out.push(`export function ${name}(v){ let n=0; const k=3; return ()=>{ n+=1; return [n,k,${first("v")}]; }; }`);
        break;
      case "curried":
        out.push(`export const ${name}=(v)=>(w)=>(z)=>[v,w,z,${first("v")}];`);
        break;
      case "handler":
        out.push(`export const ${name}=[]; const app${item.id}={get:(path,h)=>${name}.push(h)}; app${item.id}.get("/a",(v)=>${first("v")}); app${item.id}.get("/b",(v)=>${second("v")});`);
        break;
      case "kept":
        out.push(`export const ${name}=[]; ${name}.push(${first("1")});`);
        break;
      case "keptBy":
        out.push(`function go${item.id}(f){ return f(${literal(item.second)}); }`, `export const ${name}=[go${item.id}((v)=>${first("v")})];`);
        break;
      case "hook":
        out.push(`export const ${name}=[]; const on${item.id}=new Map([["a",(v)=>${first("v")}]]); ${name}.push(on${item.id}.get("a")(2));`);
        break;
      case "alias":
        out.push(`function in${item.id}(v){ return ${first("v")}; }`, `function alt${item.id}(v){ return [${second("v")}]; }`, `export { ${literal(item.second) % 2 === 0 ? "in" : "alt"}${item.id} as ${name} };`);
        break;
      case "constructor":
        out.push(`export function ${name}(v){ this.v=v; this.w=[v,${literal(item.second)}]; }`, `${name}.prototype.m=function(v){ return [this.w,${first("v")}]; };`);
        break;
      case "members":
        out.push(`export class ${name}{ a(v){ return ${first("v")}; } ${literal(item.second) % 2 === 0 ? "" : `b(v,w){ return [2,v]; } static s(){ return 3; } get g(){ return 4; }`} c(){ return 1; } }`);
        break;
      case "arity":
        out.push(`export function ${name}(${["v", "w", "z", "y"].slice(0, 1 + (literal(item.second) % 4)).join(",")}){ return ${first("v")}; }`);
        break;
      case "named":
        out.push(`export const ${name}=function ${["", "one", "two", "three", "four"][literal(item.second) % 5]}(v){ return ${first("v")}; };`);
        break;
      case "keeper":
        // It has the name of something that uses a function on the spot, and keeps it.
        out.push(`const box${item.id}={map(f){ this.f??=f; return this; }};`, `export function ${name}(v){ return box${item.id}.map((q)=>[q,${first("q")}]).f(v); }`);
        break;
      case "coerced":
        out.push(`const soft${item.id}={valueOf(){ return ${literal(item.second)}; }, toString(){ return String(${first("1")}); }};`, `export const ${name}=[soft${item.id}+1,\`\${soft${item.id}}\`];`);
        break;
      case "getter":
        out.push(`const lazy${item.id}={get a(){ return ${first("1")}; }};`, `export const ${name}=[{...lazy${item.id}}];`);
        break;
      case "construct":
        out.push(`class Made${item.id}{ constructor(v){ this.v=this.init(v); } init(v){ return ${first("v")}; } static of(v){ return new this(v); } }`, `export const ${name}=[Made${item.id}.of(2)];`);
        break;
      case "position":
        out.push(`const seek${item.id}=/a{${1 + literal(item.second)}}/g;`, `export function ${name}(v){ return [seek${item.id}.test("aaaaaaaaaaaa"),seek${item.id}.lastIndex,${first("v")}]; }`);
        break;
      case "memo":
        out.push(`let memo${item.id};`, `export function ${name}(v){ ${memoText(`memo${item.id}`, first("1"), literal(item.second))} }`);
        break;
      case "selfChanging":
        out.push(`export const ${name}={n:${literal(item.second)},up(v){ this.n++; return [this.n,${first("v")}]; }};`);
        break;
      case "lasting":
        out.push(`const rates${item.id}={a:${literal(item.second)}}; let last${item.id}=null;`, `export function ${name}(v){ if(v>2) last${item.id}=rates${item.id}; return [last${item.id}?.a,${first("v")}]; }`);
        break;
      case "listener":
        out.push(`const heard${item.id}=[]; function on${item.id}(v){ heard${item.id}.push(${first("v")}); }`, `const all${item.id}=new Set(); export function ${name}(v){ all${item.id}.add(on${item.id}); heard${item.id}.length=0; for(const f of all${item.id}) f(v); return [...heard${item.id}]; }`);
        break;
      case "cache":
        out.push(`export const ${name}=new Map([["a",${literal(item.first)}]]); export function put${item.id}(v){ ${name}.set(v,${first("v")}); return [...${name}]; }`);
        break;
    }
  }

  const files: Record<string, string> = {};
  files["m.mjs"] = printEntry(items, shared, later);
  for (let unit = 0; unit < unitCount; unit++) {
    const heads = [...imports.get(unit)!].map((used) => `import { ${nameOf(used)} } from "./${unitPath(used.unit)}";`);
    files[unitPath(unit)] = [...heads, ...lines.get(unit)!, `export const unit${unit}=1;`].join("\n");
  }
  return files;
}

/** Calls everything there is, and hands out what may be held. */
function printEntry(items: Program, shared: ReadonlySet<number>, later: ReadonlySet<number>): string {
  const calls = items.map((item) => `[${JSON.stringify(nameOf(item))},tried(()=>${callOf(item)})]`);
  const handles = (ids: ReadonlySet<number>): string => items.filter((item) => ids.has(item.id)).map((item) => `${nameOf(item)}:hold${item.id}()`).join(",\n");
  return [
    ...items.map((item) => `import { ${nameOf(item)}${item.kind === "cache" ? `, put${item.id}` : ""} } from "./${unitPath(item.unit)}";`),
    `import "./u0.mjs"; import "./u1.mjs"; import "./u2.mjs";`,
    "function tried(make){ try { return make(); } catch (error) { return String(error); } }",
    `export function run(){ return [${calls.join(",\n")}]; }`,
    // One function each: the text of the closures that it makes is the same in all programs.
    ...items.filter(({ id }) => shared.has(id) || later.has(id)).map((item) => `function hold${item.id}(){ return ${handleOf(item)}; }`),
    `export function hold(){ return {${handles(shared)}}; }`,
    `export function holdLater(){ return {${handles(later)}}; }`,
  ].join("\n");
}

/** Kinds whose code runs when a handle on one is taken. */
const eager: ReadonlySet<string> = new Set<ItemKind>(["keeper", "memo", "lasting", "listener"]);
const stateful: ReadonlySet<string> = new Set<ItemKind>(["counter", "cache", "keeper", "memo", "lasting", "listener", "position", "selfChanging"]);

/** True if using an item leaves a trace, in itself or in what it uses. */
function isStateful(item: Item, items: Program): boolean {
  const uses = (expression: Expression): boolean => {
    switch (expression.kind) {
      case "number":
      case "param":
        return false;
      case "use": {
        const used = items.find((other) => other.id === expression.item && other.id < item.id);
        return uses(expression.argument) || (used !== undefined && isStateful(used, items));
      }
      case "map":
        return uses(expression.item);
      case "choice":
        return uses(expression.test) || uses(expression.right);
      default:
        return uses(expression.left) || uses(expression.right);
    }
  };
  return stateful.has(item.kind) || uses(item.first) || uses(item.second);
}

/** The ways to compute something once, and to find it after that. */
function memoText(name: string, made: string, way: number): string {
  switch (way % 5) {
    case 0:
      return `return ${name}??=${made};`;
    case 1:
      return `if(${name}===undefined) ${name}=${made}; return ${name};`;
    case 2:
      return `if(${name}) return ${name}; ${name}=${made}; return ${name};`;
    case 3:
      return `return ${name}?${name}:(${name}=${made});`;
    default:
      return `return ${name}||(${name}=${made});`;
  }
}

/** The first number in an expression: what may stand in a table. */
function literal(expression: Expression): number {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "param":
      return 1;
    case "use":
      return expression.item;
    case "map":
      return literal(expression.item);
    case "choice":
      return literal(expression.right);
    default:
      return literal(expression.left);
  }
}

function derived(item: Item): string {
  return `[${literal(item.first)},{d:${literal(item.second)}}]`;
}
