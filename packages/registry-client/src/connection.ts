import * as http from "node:http";
import type { Socket } from "node:net";
import { asRecord, asString, maxJsonBytes, MidflightError, type ErrorCode, type ErrorFacts } from "@midflight/protocol";

export interface ConnectionOptions {
  readonly url: string;
  readonly token: string;
  readonly keepsProcessAlive: boolean;
  /** How long a request may be without a byte. */
  readonly silenceMs: number;
}

export interface RequestOptions {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: { readonly type: "application/json" | "application/octet-stream"; readonly bytes: Uint8Array };
  readonly signal?: AbortSignal;
  readonly silenceMs?: number;
}

/** HTTP/1.1 with kept connections. Neither its sockets nor its timers hold the process, unless asked to. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #base: URL;
  #transport: Promise<{ readonly request: typeof http.request; readonly agent: http.Agent }> | null = null;
  #agent: http.Agent | null = null;
  #isClosed = false;

  /** @throws MidflightError `CONFIG_INVALID` for a url that is none */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    const base = URL.canParse(options.url) ? new URL(options.url) : null;
    if (base?.protocol !== "http:" && base?.protocol !== "https:") {
      throw new MidflightError("CONFIG_INVALID", { what: "The registry's address is not an http or https URL.", fix: ["Give it as http://host:port."] });
    }
    this.#base = base;
  }

  /** The address, for people; never the token. */
  get origin(): string {
    return this.#base.origin;
  }

  /**
   * The JSON of an answer that is no error (200, or 409 and 422 where the interface gives them a meaning).
   * @throws MidflightError `REGISTRY_UNREACHABLE`, `REGISTRY_REFUSED`, or what the registry answered
   */
  async json(options: RequestOptions): Promise<unknown> {
    const res = await this.#send(options, true);
    const value = parseOrNothing(await this.#readAll(res));
    if (value === undefined) throw this.refused(`It answered with status ${res.statusCode}, and not in JSON.`);
    if (typeof value === "object" && value !== null && "error" in value) throw asError(value.error);
    if (res.statusCode === 200 || res.statusCode === 409 || res.statusCode === 422) return value;
    throw this.refused(`It answered with status ${res.statusCode}.`);
  }

  /** An answer to be read as it comes. @throws as `json` */
  async stream(options: RequestOptions): Promise<http.IncomingMessage> {
    const res = await this.#send(options, true);
    if (res.statusCode === 200) return res;
    const value = parseOrNothing(await this.#readAll(res));
    if (typeof value === "object" && value !== null && "error" in value) throw asError(value.error);
    throw this.refused(`It answered with status ${res.statusCode}.`);
  }

  close(): void {
    this.#isClosed = true;
    this.#agent?.destroy();
  }

  unreachable(cause: unknown): MidflightError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new MidflightError("REGISTRY_UNREACHABLE", {
      what: `The registry at ${this.origin} cannot be reached.`,
      why,
      state: "Processes go on with the code they run.",
      fix: ["Check that the registry runs and that the address is right."],
      retryable: true,
    }, { cause });
  }

  refused(why: string): MidflightError {
    return new MidflightError("REGISTRY_REFUSED", { what: `What answers at ${this.origin} does not speak as a registry.`, why });
  }

  async #send(options: RequestOptions, mayRepeat: boolean): Promise<http.IncomingMessage> {
    if (this.#isClosed) throw this.unreachable("The client is closed.");
    const { request, agent } = await (this.#transport ??= this.#openTransport());
    const url = new URL(options.path, this.#base);
    for (const [name, value] of Object.entries(options.query ?? {})) if (value !== undefined) url.searchParams.set(name, String(value));
    const { body } = options;
    let wasReused = false;
    try {
      return await new Promise<http.IncomingMessage>((resolve, reject) => {
        const req = request(url, {
          method: options.method,
          agent,
          headers: {
            authorization: `Bearer ${this.#options.token}`,
            ...(body !== undefined && { "content-type": body.type, "content-length": body.bytes.length }),
          },
          ...(options.signal !== undefined && { signal: options.signal }),
        });
        req.on("socket", (socket) => {
          wasReused = req.reusedSocket;
          if (!this.#options.keepsProcessAlive) socket.unref();
          if (socket.connecting) limitConnecting(socket);
        });
        req.setTimeout(options.silenceMs ?? this.#options.silenceMs, () => req.destroy(new Error("It was silent for too long.")));
        req.on("response", resolve);
        req.on("error", reject);
        req.end(body?.bytes);
      });
    } catch (cause) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      // The server may close a kept connection at the moment it is used again. Every call may be repeated.
      if (mayRepeat && wasReused) return await this.#send(options, false);
      throw this.unreachable(cause);
    }
  }

  async #openTransport(): Promise<{ readonly request: typeof http.request; readonly agent: http.Agent }> {
    const { request, Agent } = this.#base.protocol === "https:" ? await import("node:https") : http;
    const agent = new Agent({ keepAlive: true, keepAliveMsecs: 30_000 });
    this.#agent = agent;
    if (this.#isClosed) agent.destroy();
    return { request, agent };
  }

  async #readAll(res: http.IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of res as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > maxJsonBytes) break;
      }
    } catch (cause) {
      throw this.unreachable(cause);
    }
    if (bytes > maxJsonBytes) throw this.refused(`Its answer is over the limit of ${maxJsonBytes} bytes.`);
    return Buffer.concat(chunks);
  }
}

/** How long a connection may take to be made, in milliseconds: an event stream would otherwise wait for as long as it may be silent. */
const connectMs = 5_000;

function limitConnecting(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(new Error("It does not answer.")), connectMs).unref();
  const done = (): void => clearTimeout(timer);
  socket.once("connect", done).once("close", done);
}

function parseOrNothing(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The error that the registry met, as it said it; only the fields that are known, and none of them too long. */
function asError(value: unknown): MidflightError {
  try {
    const e = asRecord(value, "error");
    const code = asString(e["code"], "error.code", 60);
    const facts: { -readonly [K in keyof ErrorFacts]: ErrorFacts[K] } = { what: asString(e["what"], "error.what") };
    if (typeof e["why"] === "string") facts.why = e["why"].slice(0, 4096);
    if (typeof e["state"] === "string") facts.state = e["state"].slice(0, 4096);
    if (Array.isArray(e["fix"])) facts.fix = e["fix"].filter((line) => typeof line === "string").slice(0, 10);
    if (typeof e["retryable"] === "boolean") facts.retryable = e["retryable"];
    if (typeof e["details"] === "object" && e["details"] !== null) facts.details = plainDetails(e["details"]);
    return new MidflightError(/^[A-Z][A-Z_]*$/.test(code) ? (code as ErrorCode) : "REGISTRY_REFUSED", facts);
  } catch {
    return new MidflightError("REGISTRY_REFUSED", "The registry refused, and did not say why.");
  }
}

function plainDetails(value: object): Record<string, string | number | boolean> {
  const kept = Object.entries(value).filter(([, v]) => typeof v === "string" || typeof v === "number" || typeof v === "boolean");
  return Object.fromEntries(kept.slice(0, 20)) as Record<string, string | number | boolean>;
}
