import { IncomingMessage, ServerResponse } from "node:http";
import { Server } from "node:net";
import { howEnded, type Ended } from "../measure/how-ended.ts";
import type { Meter } from "../measure/meter.ts";
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
 * contexts that are not the request's. Each is measured from its first event to that close. Returns what takes it all back.
 */
export function followHttpRequests(generations: Generations, hold: Hold, meter: Meter | null): () => void {
  const end = (token: Token, answer: Answer & Ended): void => {
    if (token.stint !== null && token.isOpen) meter?.close(token.stint, token.enteredAtMs, isEventStream(answer) ? "stream" : howEnded(answer));
    generations.close(token);
  };
  const undo = [
    patchEmit(Server.prototype, (emit) =>
      function (event, ...args) {
        if (event !== "request" && event !== "stream") return Reflect.apply(emit, this, [event, ...args]);
        return enter({ generations, hold, meter, end }, args, () => Reflect.apply(emit, this, [event, ...args]));
      },
    ),
    patchEmit(IncomingMessage.prototype, (emit) => reenter(generations, emit, null)),
    patchEmit(ServerResponse.prototype, (emit) => reenter(generations, emit, end)),
  ];
  return () => {
    for (const take of undo.toReversed()) take();
  };
}

interface Follow {
  readonly generations: Generations;
  readonly hold: Hold;
  readonly meter: Meter | null;
  readonly end: (token: Token, answer: Answer & Ended) => void;
}

/** `request` carries a request and its response; `stream` one two-way stream and its headers. */
function enter(follow: Follow, args: readonly unknown[], work: () => boolean): boolean {
  const { generations, hold, meter, end } = follow;
  const [first, second] = args as [Carrier & NodeJS.EventEmitter, (Carrier & NodeJS.EventEmitter) | undefined];
  // A server that was opened by a request that has ended inherits that request's context; its own requests are new ones.
  if (generations.token?.isOpen === true || first === undefined || first[tokenKey] !== undefined) return work();
  const answers = typeof second?.once === "function" ? second : first;
  if (hold.isOn) {
    hold.add({ begin: () => void enter(follow, args, work), isGone: () => (first as { readonly destroyed?: boolean }).destroyed === true });
    return true;
  }
  const token = generations.open(() => isEventStream(answers as Answer));
  if (meter !== null) token.stint = meter.open();
  first[tokenKey] = token;
  answers[tokenKey] = token;
  if (!(answers instanceof ServerResponse)) answers.once("close", () => end(token, answers as Answer & Ended));
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
  const head = answer._header;
  // Looking for the word first is ten times faster for all the others.
  if (typeof head === "string") return /event-stream/i.test(head) && /^content-type:\s*text\/event-stream/im.test(head);
  const type = answer.sentHeaders?.["content-type"];
  return typeof type === "string" && /^text\/event-stream/i.test(type);
}

function reenter(generations: Generations, emit: Emit, end: Follow["end"] | null): Emit {
  return function (event, ...args) {
    const token = (this as Carrier)[tokenKey];
    if (token === undefined) return Reflect.apply(emit, this, [event, ...args]);
    try {
      if (generations.token === token) return Reflect.apply(emit, this, [event, ...args]);
      return generations.run(token, () => Reflect.apply(emit, this, [event, ...args]));
    } finally {
      if (end !== null && event === "close") end(token, this as Answer & Ended);
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
