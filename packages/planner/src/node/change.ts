/** How a binding of a unit differs from the boot shape. */
export type Change = "function" | "const" | "let" | "class" | "import";
export type Changes = ReadonlyMap<string, ReadonlyMap<string, Change>>;
