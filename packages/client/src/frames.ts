/** The wire of spec/resume.md: one JSON object in each text frame. Unknown keys are ignored, unknown objects are not. */
export type ClientFrame =
  | { readonly kind: "hello"; readonly id: string; readonly from: number }
  | { readonly kind: "message"; readonly n: number; readonly data: string };

export type ServerFrame =
  | { readonly kind: "welcome"; readonly last: number; readonly isFresh: boolean }
  | { readonly kind: "acknowledge"; readonly n: number }
  | { readonly kind: "message"; readonly data: string };

/** The largest message, in bytes of UTF-8. */
export const maxMessageBytes = 65_536;

/** The longest frame that is parsed, in characters: JSON may write one byte with six. */
export const maxFrameLength: number = 6 * maxMessageBytes + 256;

const edition = 1;
const idPattern = /^[\w-]{16,64}$/;
const encoder = new TextEncoder();

export function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

export function encodeClientFrame(frame: ClientFrame): string {
  switch (frame.kind) {
    case "hello": return JSON.stringify({ hello: edition, id: frame.id, from: frame.from });
    case "message": return JSON.stringify({ n: frame.n, data: frame.data });
    default: return frame satisfies never;
  }
}

export function encodeServerFrame(frame: ServerFrame): string {
  switch (frame.kind) {
    case "welcome": return JSON.stringify({ welcome: edition, last: frame.last, isFresh: frame.isFresh });
    case "acknowledge": return JSON.stringify({ ack: frame.n });
    case "message": return JSON.stringify({ data: frame.data });
    default: return frame satisfies never;
  }
}

/** `null`: not a frame of this protocol. */
export function parseClientFrame(text: string): ClientFrame | null {
  const { hello, id, from, n, data } = parseObject(text);
  if (hello !== undefined) return hello === edition && typeof id === "string" && idPattern.test(id) && isId(from) ? { kind: "hello", id, from } : null;
  return isId(n) && typeof data === "string" ? { kind: "message", n, data } : null;
}

/** `null`: not a frame of this protocol. */
export function parseServerFrame(text: string): ServerFrame | null {
  const { welcome, last, isFresh, ack, data } = parseObject(text);
  if (welcome !== undefined) return welcome === edition && isCount(last) && typeof isFresh === "boolean" ? { kind: "welcome", last, isFresh } : null;
  if (ack !== undefined) return isId(ack) ? { kind: "acknowledge", n: ack } : null;
  return typeof data === "string" ? { kind: "message", data } : null;
}

function parseObject(text: string): Readonly<Partial<Record<string, unknown>>> {
  if (text.length > maxFrameLength) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Ids count from 1. */
function isId(value: unknown): value is number {
  return isCount(value) && value > 0;
}
