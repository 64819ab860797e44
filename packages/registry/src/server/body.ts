import type { IncomingMessage } from "node:http";
import { invalid, maxJsonBytes, MidflightError } from "@midflight/protocol";

/**
 * Reads a request's body. A declared length over the limit is refused before a byte is read, and an undeclared one
 * as soon as it is passed.
 * @throws MidflightError `OBJECT_TOO_LARGE`; `REGISTRY_UNREACHABLE` if the caller left
 */
export async function readBody(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const declared = Number(req.headers["content-length"] ?? 0);
  if (declared > limitBytes) throw tooLarge(limitBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  return await new Promise((resolve, reject) => {
    req.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limitBytes) chunks.push(chunk);
      else reject(tooLarge(limitBytes));
    });
    req.on("end", () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    const left = (): void => reject(new MidflightError("REGISTRY_UNREACHABLE", "The caller left before its request was read."));
    req.on("error", left);
    req.on("close", left);
  });
}

/** @throws MidflightError also `OBJECT_INVALID` */
export async function readJson(req: IncomingMessage): Promise<unknown> {
  const body = await readBody(req, maxJsonBytes);
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return invalid("the request's body", "JSON");
  }
}

function tooLarge(limit: number): MidflightError {
  return new MidflightError("OBJECT_TOO_LARGE", { what: `The request's body is over the limit of ${limit} bytes.`, state: "Nothing of it was kept.", details: { limit } });
}
