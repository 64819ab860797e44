// What every runtime that speaks this protocol has, and ECMAScript's own library does not describe.
// `types: []` keeps Node's names out of this package; these few web standards come in by name.

/** Encoding Standard §7.4. */
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}

/** Encoding Standard §7.2. `fatal` makes malformed bytes throw a TypeError. */
declare class TextDecoder {
  constructor(label?: "utf-8", options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean });
  decode(input?: ArrayBufferView | ArrayBuffer): string;
}
