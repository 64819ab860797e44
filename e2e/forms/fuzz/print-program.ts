import { unitCount, type Expression, type Item, type Program } from "./program.ts";

const nameOf = (item: Item): string => `x${item.id}`;
const unitPath = (unit: number): string => `u${unit}.mjs`;

/** How an item is used in an expression, given the text of an argument. */
function useOf(item: Item, argument: string): string {
  const name = nameOf(item);
  switch (item.kind) {
    case "function":
    case "arrow":
    case "default":
    case "counter":
    case "alias":
      return `${name}(${argument})`;
    case "async":
      return `typeof ${name}(${argument})`;
    case "generator":
      return `[...${name}(${argument})]`;
    case "table":
      return `${name}.a`;
    case "list":
      return `${name}.map((q)=>q.a)`;
    case "derived":
      return name;
    case "class":
    case "subclass":
      return `new ${name}(${argument}).m(${argument})`;
    case "object":
      return `${name}.m(${argument})`;
    case "closure":
      return `${name}(${argument})()`;
    case "curried":
      return `${name}(${argument})(1)(2)`;
    case "cache":
      return `${name}.size`;
    case "handler":
    case "kept":
    case "keptBy":
    case "hook":
      return `${name}.length`;
  }
}

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

function callOf(item: Item): string {
  const name = nameOf(item);
  switch (item.kind) {
    case "handler":
      return `${name}.map((h)=>h(3))`;
    case "kept":
    case "keptBy":
    case "hook":
      return name;
    case "table":
    case "list":
      return `JSON.stringify(${name})`;
    case "cache":
      return `put${item.id}(5)`;
    case "class":
      return `[${useOf(item, "3")},${name}.s(4)]`;
    default:
      return useOf(item, "3");
  }
}

/** What a user may hold of an item from before the swap, as a function to be called after it. */
function handleOf(item: Item): string {
  const name = nameOf(item);
  switch (item.kind) {
    case "class":
    case "subclass":
      return `((o)=>()=>[o.m(2),o.g])(new ${name}(1))`;
    case "object":
      return `((o,m)=>()=>[o.m(2),m.call(o,3),o.g])(${name},${name}.m)`;
    case "closure":
      return `${name}(4)`;
    case "curried":
      return `((one,two)=>()=>[one(1)(2),two(2)])(${name}(4),${name}(4)(1))`;
    case "handler":
      return `((hs)=>()=>hs.map((h)=>h(2)))([...${name}])`;
    case "function":
    case "arrow":
    case "default":
      return `((f)=>()=>f(2))(${name}.bind(null))`;
    case "generator":
      return `((f)=>()=>[...f(2)])(${name})`;
    default:
      return "()=>0";
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
