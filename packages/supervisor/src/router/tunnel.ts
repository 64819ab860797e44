import http, { type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { mayChange, requestFields, responseFields } from "./fields.ts";

/** Connects two ends after a request to change the protocol, as WebSockets begin. Resolves when both have ended. */
export async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer, reach: { readonly path: string; readonly target: string }, pin: string | null): Promise<void> {
  await new Promise<void>((resolve) => {
    const offer = mayChange(request) ? ["Connection", "Upgrade", "Upgrade", request.headers.upgrade ?? ""] : ["Connection", "close"];
    const fields = [...requestFields(request), ...offer];
    const asked = http.request({ socketPath: reach.path, method: request.method, path: reach.target, headers: fields as never, setHost: false, agent: false });
    let isAnswered = false;
    const say = (answer: IncomingMessage, rest: readonly string[]): void => {
      isAnswered = true;
      // Fields are bytes, which Node reads one by one.
      client.write(answerHead(answer, [...responseFields(answer.rawHeaders, pin), ...rest]), "latin1");
    };
    client.on("error", () => client.destroy());
    client.once("close", () => {
      asked.destroy();
      resolve();
    });
    asked.on("error", () => {
      if (isAnswered) client.destroy();
      else client.end("HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n");
    });
    asked.once("upgrade", (answer, process, more) => {
      say(answer, ["Connection", "Upgrade", "Upgrade", answer.headers.upgrade ?? ""]);
      client.write(more);
      process.write(head);
      process.on("error", () => client.destroy());
      process.once("close", () => client.end());
      client.once("close", () => process.destroy());
      process.pipe(client).pipe(process);
    });
    asked.once("response", (answer) => {
      // It does not change the protocol, and says why.
      say(answer, ["Connection", "close"]);
      answer.once("close", () => answer.complete || client.destroy());
      answer.pipe(client);
    });
    asked.end();
  });
}

function answerHead({ statusCode, statusMessage }: IncomingMessage, fields: readonly string[]): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let i = 0; i < fields.length; i += 2) lines.push(`${fields[i]}: ${fields[i + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
