/** What is used of the events `message` (data) and `close` (code, reason). */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
}

/** What is used of a client's WebSocket: that of browsers, of Node 22 and newer, and of `ws`. */
export interface WebSocketLike {
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: SocketEvent) => void): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string | URL, protocols?: string | string[]) => WebSocketLike;

/** RFC 6455 §7.4.1, and the registry that it opens. */
export const closeCodes: Readonly<Record<"done" | "protocolError" | "notText" | "policy" | "tooLarge" | "failed" | "tryLater", number>> = Object.freeze({
  done: 1000, protocolError: 1002, notText: 1003, policy: 1008, tooLarge: 1009, failed: 1011, tryLater: 1013,
});

const finalCodes: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1010]);

/** The other side does not want this client again. All else (1001, 1006, 1011, 1012, 1013 …) is a connection that was lost. */
export function isFinal(code: number): boolean {
  return finalCodes.has(code) || (code >= 4000 && code <= 4999);
}
