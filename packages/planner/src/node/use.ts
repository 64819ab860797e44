/**
 * What becomes of an expression's value: called; called if it is a function at all; kept somewhere; kept in a list, a
 * map or an object; kept by an emitter of events; given away for later requests; nothing.
 */
export type Use = "call" | "hand" | "keep" | "contain" | "listen" | "drop" | "none";

/** By what callees do with their arguments. */
export const useOf = { called: "call", handed: "hand", contained: "contain", listening: "listen", kept: "drop" } as const;
