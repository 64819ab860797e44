import { IncomingMessage, ServerResponse } from "node:http";
import { Server } from "node:net";
import type { Hold } from "./hold.ts";
import type { Generations, Token } from "./generations.ts";

const tokenKey = Symbol("midflight.request");

interface Carrier {
  [tokenKey]?: Token;
}

type Emit = (this: unknown, event: string | symbol, ...args: unknown[]) => boolean;

/**
 * Gives each request of Node's HTTP servers (http, https, http2, and what is built on them) a token, from its
 * first event to the close of its response, and enters it again for each event of the two: streams deliver those from
 * contexts that are not the request's. Returns what takes it all back.
 */
export function followHttpRequests(generations: Generations, hold: Hold): () => void {
  const undo = [
    patchEmit(Server.prototype, (emit) =>
      function (event, ...args) {
        if (event !== "request" && event !== "stream") return Reflect.apply(emit, this, [event, ...args]);
        return enter(generations, hold, args, () => Reflect.apply(emit, this, [event, ...args]));
      },
    ),
    patchEmit(IncomingMessage.prototype, (emit) => reenter(generations, emit, false)),
    patchEmit(ServerResponse.prototype, (emit) => reenter(generations, emit, true)),
  ];
  return () => {
    for (const take of undo.toReversed()) take();
  };
}

/** `request` carries a request and its response; `stream` one two-way stream and its headers. */
function enter(generations: Generations, hold: Hold, args: readonly unknown[], work: () => boolean): boolean {
  const [first, second] = args as [Carrier & NodeJS.EventEmitter, (Carrier & NodeJS.EventEmitter) | undefined];
  // A server that was opened by a request that has ended inherits that request's context; its own requests are new ones.
  if (generations.token?.isOpen === true || first === undefined || first[tokenKey] !== undefined) return work();
  const answers = typeof second?.once === "function" ? second : first;
  if (hold.isOn) {
    hold.add({ begin: () => void enter(generations, hold, args, work), isGone: () => (first as { readonly destroyed?: boolean }).destroyed === true });
    return true;
  }
  const token = generations.open(() => isEventStream(answers as Answer));
  first[tokenKey] = token;
  answers[tokenKey] = token;
  if (!(answers instanceof ServerResponse)) answers.once("close", () => generations.close(token));
  return generations.run(token, work);
}

export interface Answer {
  readonly headersSent?: boolean;
  /** The head as it went out: `getHeader` does not know what `writeHead` was given (node:http, OutgoingMessage). */
  readonly _header?: string | null;
  /** Of a stream of node:http2. */
  readonly sentHeaders?: Readonly<Record<string, unknown>>;
}

/** An answer of server-sent events (WHATWG HTML §9.2) that has begun. */
export function isEventStream(answer: Answer): boolean {
  if (answer.headersSent !== true) return false;
  if (typeof answer._header === "string") return /^content-type:\s*text\/event-stream/im.test(answer._header);
  const type = answer.sentHeaders?.["content-type"];
  return typeof type === "string" && /^text\/event-stream/i.test(type);
}

function reenter(generations: Generations, emit: Emit, endsWithClose: boolean): Emit {
  return function (event, ...args) {
    const token = (this as Carrier)[tokenKey];
    if (token === undefined) return Reflect.apply(emit, this, [event, ...args]);
    try {
      if (generations.token === token) return Reflect.apply(emit, this, [event, ...args]);
      return generations.run(token, () => Reflect.apply(emit, this, [event, ...args]));
    } finally {
      if (endsWithClose && event === "close") generations.close(token);
    }
  };
}

function patchEmit(prototype: object, make: (emit: Emit) => Emit): () => void {
  const target = prototype as { emit: Emit };
  const own = Object.getOwnPropertyDescriptor(target, "emit");
  target.emit = make(target.emit);
  return () => {
    if (own === undefined) delete (target as { emit?: Emit }).emit;
    else Object.defineProperty(target, "emit", own);
  };
}
