import type { Item } from "./program.ts";

export const nameOf = (item: Item): string => `x${item.id}`;

/** How an item is used in an expression, given the text of an argument. */
export function useOf(item: Item, argument: string): string {
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
    case "coerced":
    case "getter":
    case "construct":
      return `${name}.length`;
    case "constructor":
      return `new ${name}(${argument}).m(${argument})`;
    case "members":
      return `new ${name}().a(${argument})`;
    case "arity":
    case "named":
    case "keeper":
    case "position":
    case "memo":
    case "lasting":
    case "listener":
      return `${name}(${argument})`;
    case "selfChanging":
      return `${name}.up(${argument})`;
  }
}

/** What the entry calls of an item, and shows. */
export function callOf(item: Item): string {
  const name = nameOf(item);
  switch (item.kind) {
    case "coerced":
    case "getter":
    case "construct":
      return name;
    case "members":
      return `((o)=>[o.a(3),"b" in o,o.b?.(1),o.g,${name}.s?.(),Reflect.ownKeys(${name}.prototype)])(new ${name}())`;
    case "arity":
    case "named":
      return `[${name}.length,${name}.name,${name}(3)]`;
    case "constructor":
      return `[new ${name}(3).m(2),${name}.length]`;
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
export function handleOf(item: Item): string {
  const name = nameOf(item);
  switch (item.kind) {
    case "class":
    case "subclass":
      return `((o)=>()=>[o.m(2),o.g])(new ${name}(1))`;
    case "constructor":
      return `((o)=>()=>[o.m(2),o.w,o.v])(new ${name}(1))`;
    case "members":
      return `((o)=>()=>[o.a(2),o.b?.(2),"g" in o])(new ${name}())`;
    case "arity":
      return `((f)=>()=>[f(2),f.length])(${name})`;
    case "keeper":
    case "memo":
    case "lasting":
    case "listener":
      return `((first)=>()=>[first,${name}(2)])(typeof ${name}(4))`;
    case "named":
      return `((f)=>()=>[f(2),f.name])(${name})`;
    case "selfChanging":
      return `((o)=>()=>[o.up(2),o.n])(${name})`;
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
