// What browsers and every supported Node have on their global object, and ECMAScript's own library does not describe.
// `types: []` keeps Node's names out of this package; these few web standards come in by name.

/** Encoding Standard §7.4. */
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}

/** Encoding Standard §7.2. `fatal` makes malformed bytes throw a TypeError. */
declare class TextDecoder {
  constructor(label?: "utf-8", options?: { readonly fatal?: boolean });
  decode(input?: ArrayBufferView | ArrayBuffer): string;
}

/** URL Standard §6.1. */
declare class URL {
  constructor(url: string, base?: string);
  readonly href: string;
}

/** DOM Standard §3.2. */
interface AbortSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Web Cryptography §10.1. */
declare const crypto: { getRandomValues(into: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> };

/** HTML Standard §8.6. */
declare function setTimeout(run: () => void, delayMs: number): { readonly __timer: never };
declare function clearTimeout(timer: { readonly __timer: never } | undefined): void;

/** WebSockets Standard §3.1. Not there in Node before 22. */
declare const WebSocket: unknown;
