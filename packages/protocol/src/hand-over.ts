import { asArray, asCount, asNullable, asOneOf, asRecord, asString } from "./json.ts";

/**
 * What supervisor and agent say to each other over a process's IPC channel, see spec/replace.md. A listening socket is
 * named by what the app asked for, `127.0.0.1:3000` or `:3000`, so that the next process finds it by asking for the same.
 */
export type SupervisorWord =
  /** Begin to accept on the sockets that were given; until then connections wait in the kernel. */
  | { readonly kind: "accept" }
  /** Another process serves: stop accepting, end what is open, and say when it is safe to stop. May be said again. */
  | DrainWord
  /** A connection, in the message itself, that is to be served by the server on that socket. */
  | { readonly kind: "connection"; readonly socket: string }
  /** The socket that the app closed is let go everywhere. */
  | { readonly kind: "let-go"; readonly socket: string }
  /** The server on that socket serves on a Unix socket, too: a router asks it there. Null: not any more. */
  | { readonly kind: "serve"; readonly socket: string; readonly path: string | null }
  /** After a drain that it outlived: accept again on the socket in the message. */
  | { readonly kind: "listen"; readonly socket: string };

export interface DrainWord {
  readonly kind: "drain";
  /** How long open requests may take, in ms. */
  readonly deadlineMs: number;
  /** Sockets that the successor serves: idle connections of theirs are handed over. Empty: there is none to take them. */
  readonly heirs: readonly string[];
  /** It only stops accepting, and stays: a router has taken the outside over. Event streams, WebSockets and what came from the router go on. Default: false. */
  readonly isStaying?: boolean;
}

export type AgentWord =
  /** A server listens; with the listening socket in the message, or on one that was given. */
  | { readonly kind: "listening"; readonly socket: string; readonly isGiven: boolean }
  /** The app has closed that server and opens it again: the socket is to be let go, so that it can be bound. */
  | { readonly kind: "closed"; readonly socket: string }
  /** An idle connection, in the message itself, for the successor. */
  | { readonly kind: "connection"; readonly socket: string }
  /** It serves on that Unix socket, or on none any more; or it cannot, and says why. */
  | { readonly kind: "serving"; readonly socket: string; readonly path: string | null; readonly problem: string | null }
  | DrainedWord;

export interface DrainedWord {
  readonly kind: "drained";
  /** True if nothing is open any more. */
  readonly isSafeToStop: boolean;
  readonly tookMs: number;
  /** Connections that went on to the successor. */
  readonly handedOver: number;
  /** Connections that were still open when time was up. */
  readonly left: number;
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseSupervisorWord(value: unknown): SupervisorWord {
  const word = asRecord(value, "word");
  const kind = asOneOf(word["kind"], ["accept", "drain", "connection", "let-go", "serve", "listen"] as const, "word.kind");
  if (kind === "accept") return { kind };
  if (kind === "serve") return { kind, socket: asString(word["socket"], "word.socket"), path: asNullable(word["path"], asString, "word.path") };
  if (kind !== "drain") return { kind, socket: asString(word["socket"], "word.socket") };
  return {
    kind,
    deadlineMs: asCount(word["deadlineMs"], "word.deadlineMs"),
    heirs: asArray(word["heirs"], "word.heirs", 1000).map((heir) => asString(heir, "word.heirs")),
    isStaying: word["isStaying"] === true,
  };
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseAgentWord(value: unknown): AgentWord {
  const word = asRecord(value, "word");
  const kind = asOneOf(word["kind"], ["listening", "closed", "connection", "serving", "drained"] as const, "word.kind");
  switch (kind) {
    case "listening":
      return { kind, socket: asString(word["socket"], "word.socket"), isGiven: word["isGiven"] === true };
    case "closed":
    case "connection":
      return { kind, socket: asString(word["socket"], "word.socket") };
    case "serving":
      return { kind, socket: asString(word["socket"], "word.socket"), path: asNullable(word["path"], asString, "word.path"), problem: asNullable(word["problem"], asString, "word.problem") };
    case "drained":
      return {
        kind,
        isSafeToStop: word["isSafeToStop"] === true,
        tookMs: asCount(word["tookMs"], "word.tookMs"),
        handedOver: asCount(word["handedOver"], "word.handedOver"),
        left: asCount(word["left"], "word.left"),
      };
  }
}

/** The variable by which a process learns which listening sockets it was given: JSON, name to file descriptor; empty for none. It is there if, and only if, a supervisor started the process. */
export const givenSocketsVariable = "MIDFLIGHT_SOCKETS";
