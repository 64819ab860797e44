import type { End } from "./meter.ts";

/** What is asked of an answer that is over: of a response of node:http, or of a stream of node:http2. */
export interface Ended {
  readonly writableFinished?: boolean;
  /** node:http */
  readonly statusCode?: number;
  readonly headersSent?: boolean;
  readonly socket?: { readonly readableEnded?: boolean; readonly errored?: { readonly code?: string } | null } | null;
  /** node:http2 */
  readonly rstCode?: number;
  readonly aborted?: boolean;
  readonly sentHeaders?: Readonly<Record<string, unknown>>;
}

/** What a socket says when it was the other side that went. */
const gone: ReadonlySet<string | undefined> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT"]);

/** RFC 9113 §7 */
const cancel = 8;

/**
 * Whether an answer that is over was given, failed by the server's doing, or was given up by its client. An answer that was cut is the
 * client's doing if the client's end of the connection was over before, and the server's otherwise.
 */
export function howEnded(answer: Ended): Exclude<End, "stream"> {
  return answer.rstCode === undefined ? howResponseEnded(answer) : howStreamEnded(answer, answer.rstCode);
}

function howResponseEnded({ statusCode = 0, headersSent, writableFinished, socket }: Ended): Exclude<End, "stream"> {
  if (statusCode >= 500 && headersSent === true) return "failed";
  if (writableFinished === true) return "answered";
  const isGone = socket === null || socket === undefined || socket.readableEnded === true || gone.has(socket.errored?.code);
  return isGone ? "left" : "failed";
}

/** node:http2 ends a stream whole that its client resets, and leaves one unfinished that the server destroys. */
function howStreamEnded({ sentHeaders, writableFinished, aborted }: Ended, code: number): Exclude<End, "stream"> {
  const status = sentHeaders?.[":status"];
  if (typeof status === "number" && status >= 500) return "failed";
  if (code === cancel) return "left";
  if (code !== 0 || writableFinished !== true) return "failed";
  return aborted === true ? "left" : "answered";
}
