import type { IncomingMessage, ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import { bringsBody, requestFields, responseFields } from "./fields.ts";
import type { Reach } from "./upstreams.ts";

export interface Passage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** In origin form. */
  readonly path: string;
  /** The cookie for a client that has none; null: no cookie. */
  readonly pin: string | null;
  /** Where to try once more; null if there is nobody. */
  readonly again: () => Reach | null;
  /** The answer is an event stream: it has no end to wait for. */
  readonly onStream: () => void;
}

/** Up to this size, a body that is there as a whole goes out with its head in one write; two are a third of what a small answer costs. */
const smallBytes = 16 << 10;

/** RFC 9110 §9.2.1: asking twice does what asking once does. */
const safe = new Set(["GET", "HEAD", "OPTIONS"]);

/** Sends one request on, and its answer back. Resolves when both are over, whatever came of them. */
export async function forward(passage: Passage, reach: Reach): Promise<void> {
  const { request } = passage;
  const hasBody = bringsBody(request);
  const mayAskAgain = !hasBody && safe.has(request.method ?? "");
  const first = await send(passage, reach, hasBody, mayAskAgain);
  if (first === "answered") return;
  const other = passage.again();
  if (other === null) refuse(passage.response);
  else await send(passage, other, hasBody, false);
}

/** `unanswered`: nothing of an answer came, and nothing was sent to the client. */
function send({ request, response, path, pin, onStream }: Passage, { pool }: Reach, hasBody: boolean, mayAskAgain: boolean): Promise<"answered" | "unanswered"> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | null = null;
    let isOver = false;
    let lengthBytes: number | null = null;
    const onClose = (): void => {
      if (!response.writableFinished) controller?.abort(new Error("the client has gone"));
      finish("answered");
    };
    const finish = (how: "answered" | "unanswered"): void => {
      if (isOver) return;
      isOver = true;
      response.off("close", onClose);
      resolve(how);
    };
    response.once("close", onClose);
    try {
      pool.dispatch(
        { method: request.method as Dispatcher.HttpMethod, path, headers: requestFields(request), body: hasBody ? request : null, headersTimeout: 0, bodyTimeout: 0 },
        {
          onRequestStart: (now) => {
            controller = now;
            if (response.destroyed) now.abort(new Error("the client has gone"));
          },
          onResponseStart: (now, status, headers, message) => {
            if (status < 200) {
              const link = headers["link"];
              if (status === 103 && link !== undefined) sayHint(response, link);
              return;
            }
            const { rawHeaders } = now as unknown as { readonly rawHeaders: readonly Buffer[] };
            if (/^text\/event-stream/i.test(String(headers["content-type"]))) onStream();
            response.sendDate = false;
            // undici reads the reason as UTF-8; a head is bytes.
            response.writeHead(status, Buffer.from(message ?? "").toString("latin1"), responseFields(rawHeaders, pin));
            // Its length is that of the answer to a client that has none yet (RFC 9110 §8.6), and undici waits for so many bytes.
            if (status === 304) return void response.end();
            // An event stream says that it is there before it says anything.
            if (headers["content-length"] === undefined) response.flushHeaders();
            else lengthBytes = Number(headers["content-length"]);
          },
          onResponseData: (now, chunk) => {
            if (chunk.length === lengthBytes && chunk.length <= smallBytes) return void response.end(chunk.toString("latin1"), "latin1");
            if (response.write(chunk)) return undefined;
            now.pause();
            response.once("drain", () => now.resume());
            return undefined;
          },
          onResponseEnd: (now) => {
            const { rawTrailers } = now as unknown as { readonly rawTrailers: readonly Buffer[] | null };
            if (rawTrailers !== null && rawTrailers.length > 0) response.addTrailers(pairs(rawTrailers));
            if (!response.writableEnded) response.end();
          },
          onResponseError: () => {
            if (response.destroyed || isOver) return finish("answered");
            // All of it was said; it ends when the client has it.
            if (response.writableEnded) return undefined;
            if (response.headersSent) response.destroy();
            else if (mayAskAgain) return finish("unanswered");
            else refuse(response);
            return undefined;
          },
        },
      );
    } catch {
      // What undici does not take, a process would not have taken either.
      if (!response.headersSent) refuse(response, 400);
    }
  });
}

/** Only a hint: what Node does not take of it, a client does without. */
function sayHint(response: ServerResponse, link: string | string[]): void {
  try {
    response.writeEarlyHints({ link });
  } catch {
    // The answer follows.
  }
}

function pairs(raw: readonly Buffer[]): readonly [string, string][] {
  const flat = responseFields(raw, null);
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]!] as [string, string]] : []));
}

/** The process did not answer; which one, is nobody's business outside. */
export function refuse(response: ServerResponse, status = 502): void {
  if (response.headersSent) return void response.destroy();
  const body = status === 503 ? "No process serves this now.\n" : status === 400 || status === 501 ? "This request cannot be sent on.\n" : "The process that serves this did not answer.\n";
  // One that was given before, and not taken, is kept by Node and would not be taken again.
  response.statusMessage = "";
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...(status === 503 ? { "retry-after": "1" } : {}), connection: "close" });
  response.end(body);
}
