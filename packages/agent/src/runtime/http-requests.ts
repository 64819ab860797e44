import { EventEmitter } from "node:events";
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

interface Follow {
  readonly generations: Generations;
  readonly hold: Hold;
  readonly meter: Meter | null;
  /** Enters a request for the events of its stream of node:http2, too: the module is loaded only if the app does so. */
  readonly followStream: (stream: object) => void;
}

/* eslint-disable prefer-rest-params -- a rest parameter is an array per event, and a request has many */

/**
 * Gives each request of Node's HTTP servers (http, https, http2, and what is built on them) a token, from its
 * first event to the close of its response, and enters it again for each event of the two that somebody hears: streams
 * deliver those from contexts that are not the request's. Each is measured from its first event to that close. Returns
 * what takes it all back.
 */
export function followHttpRequests(generations: Generations, hold: Hold, meter: Meter | null): () => void {
  const follow: Follow = { generations, hold, meter, followStream };
  meter?.lookAtOpen((visit, leastMs, most) => generations.eachOpen(visit, leastMs, most));
  const undo = [
    patchEmit(Server.prototype, (emit) =>
      function (event) {
        return event === "request" || event === "stream" ? enter(follow, emit, this, arguments) : Reflect.apply(emit, this, arguments);
      },
    ),
    patchEmit(IncomingMessage.prototype, (emit) => {
      const isOwn = emit === EventEmitter.prototype.emit;
      return function (event) {
        const token = (this as Carrier)[tokenKey];
        if (token === undefined || (event === "end" && isHeardByNodeAlone(this as IncomingMessage))) return Reflect.apply(emit, this, arguments);
        if (isOwn && isUnheard(this, event)) return false;
        return generations.token === token ? Reflect.apply(emit, this, arguments) : generations.apply(token, emit, this, arguments);
      };
    }),
    patchEmit(ServerResponse.prototype, (emit) => {
      const isOwn = emit === EventEmitter.prototype.emit;
      return function (event) {
        const token = (this as Carrier)[tokenKey];
        if (token === undefined) return Reflect.apply(emit, this, arguments);
        try {
          if (isOwn && isUnheard(this, event)) return false;
          return generations.token === token ? Reflect.apply(emit, this, arguments) : generations.apply(token, emit, this, arguments);
        } finally {
          // The last event of a response ends its request.
          if (event === "close") end(follow, token, this as Answer & Ended);
        }
      };
    }),
  ];
  const streams = new Set<object>();
  function followStream(stream: object): void {
    const prototype = Object.getPrototypeOf(stream) as object;
    if (streams.has(prototype)) return;
    streams.add(prototype);
    undo.push(patchEmit(prototype, (emit) =>
      function () {
        const token = (this as Carrier)[tokenKey];
        return token === undefined || generations.token === token ? Reflect.apply(emit, this, arguments) : generations.apply(token, emit, this, arguments);
      },
    ));
  }
  return () => {
    for (const take of undo.toReversed()) take();
  };
}

/** Most events of a request are of no interest to anybody; then Node's `emit` does nothing, and needs no context. */
function isUnheard(emitter: unknown, event: string | symbol): boolean {
  return event !== "error" && (emitter as NodeJS.EventEmitter).listenerCount(event) === 0;
}

let ofNode: ((...args: never[]) => void) | null = null;

/** On what Node itself does at the end of a request it needs no context either. */
function isHeardByNodeAlone(request: IncomingMessage): boolean {
  if (request.listenerCount("end") !== 1) return false;
  if (ofNode !== null) return request.listenerCount("end", ofNode) === 1;
  const [only] = request.listeners("end") as ((...args: never[]) => void)[];
  // Its name in node:_http_server.
  if (only?.name === "clearIncoming") ofNode = only;
  return ofNode !== null;
}

/** `request` carries a request and its response; `stream` one two-way stream and its headers. */
function enter(follow: Follow, emit: Emit, server: unknown, args: IArguments): boolean {
  const { generations, hold, meter } = follow;
  const first = args[1] as (Carrier & NodeJS.EventEmitter) | undefined;
  const second = args[2] as (Carrier & NodeJS.EventEmitter) | undefined;
  // A server that was opened by a request that has ended inherits that request's context; its own requests are new ones.
  if (generations.token?.isOpen === true || first === undefined || first[tokenKey] !== undefined) return Reflect.apply(emit, server, args);
  const answers = typeof second?.once === "function" ? second : first;
  if (hold.isOn) {
    hold.add({ begin: () => void enter(follow, emit, server, args), isGone: () => (first as { readonly destroyed?: boolean }).destroyed === true });
    return true;
  }
  const token = generations.open(answers);
  if (meter !== null) token.stint = meter.open();
  first[tokenKey] = token;
  answers[tokenKey] = token;
  if (!(answers instanceof ServerResponse)) {
    // Those of requests that are made of a stream come from the events of that.
    if (args[0] === "stream") follow.followStream(first);
    answers.once("close", () => end(follow, token, answers as Answer & Ended));
  }
  return generations.apply(token, emit, server, args);
}

function end({ generations, meter }: Follow, token: Token, answer: Answer & Ended): void {
  if (token.stint !== null && token.isOpen) meter?.close(token.stint, token.enteredAtMs, isEventStream(answer) ? "stream" : howEnded(answer));
  generations.close(token);
}

export interface Answer {
  readonly headersSent?: boolean;
  /** The head as it went out: `getHeader` does not know what `writeHead` was given (node:http, OutgoingMessage). */
  readonly _header?: string | null;
  /** Known in advance, or from its only part. */
  readonly _contentLength?: number | null;
  /** Of a stream of node:http2. */
  readonly sentHeaders?: Readonly<Record<string, unknown>>;
}

/** An answer of server-sent events (WHATWG HTML §9.2) that has begun. */
export function isEventStream(answer: Answer): boolean {
  if (answer.headersSent !== true) return false;
  // What says how long it is has an end.
  if (typeof answer._contentLength === "number") return false;
  const head = answer._header;
  // Looking for the word first is ten times faster for all the others.
  if (typeof head === "string") return /event-stream/i.test(head) && /^content-type:\s*text\/event-stream/im.test(head);
  const type = answer.sentHeaders?.["content-type"];
  return typeof type === "string" && /^text\/event-stream/i.test(type);
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
