import type { IncomingMessage, ServerResponse } from "node:http";
import { isMidflightError, MidflightError, type ErrorCode } from "@midflight/protocol";

export function sendJson(res: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { "content-type": "application/json", "content-length": body.length, "cache-control": "no-store" });
  res.end(body);
}

const statuses: Partial<Record<ErrorCode, number>> = {
  TOKEN_REFUSED: 401,
  OBJECT_TOO_LARGE: 413,
  OBJECT_INVALID: 400,
  PACK_MALFORMED: 400,
  ARTIFACT_DIGEST_MISMATCH: 400,
  DISK_FULL: 507,
  REGISTRY_REFUSED: 409,
  REGISTRY_UNREACHABLE: 503,
};

/**
 * Answers with `{error: {code, what, why, state, fix, details, retryable}}`. What is not ours is told as `INTERNAL`,
 * without its text: that may hold paths or data that the caller has no business with.
 */
export function sendError(req: IncomingMessage, res: ServerResponse, cause: unknown, status?: number): void {
  if (res.headersSent) {
    res.destroy(); // half an answer must not look like a whole one
    return;
  }
  const error = isMidflightError(cause) ? cause : new MidflightError("INTERNAL", { what: "The registry failed to answer.", state: "Nothing of the request was kept." });
  if (!req.complete) endUnread(req, res);
  sendJson(res, status ?? statuses[error.code] ?? 500, { error: { code: error.code, ...error.facts } });
}

/** How long a caller whose body was refused has to read the answer, in milliseconds. */
const lingerMs = 1_000;

/** The body is not read, or not to its end: what still comes is thrown away, and the connection goes. */
function endUnread(req: IncomingMessage, res: ServerResponse): void {
  res.setHeader("connection", "close");
  req.resume();
  res.on("finish", () => {
    setTimeout(() => req.destroy(), lingerMs).unref();
  });
}
