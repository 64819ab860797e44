import type { AgentWord, SupervisorWord } from "@midflight/protocol";

/** What a supervisor asks of the holder; one JSON object a line. Requests with an `id` are answered. */
export type HolderRequest =
  /** From now on this supervisor is served, and no other. */
  | { readonly kind: "hello" }
  | ({ readonly kind: "launch"; readonly id: number } & LaunchRequest)
  | ({ readonly kind: "probe"; readonly id: number } & ProbeRequest)
  /** Opens what a group of processes shares and is not open yet, and lets all others of the group go. */
  | { readonly kind: "bind"; readonly id: number; readonly group: string; readonly sockets: readonly string[] }
  /** Starts a holder of another edition, which takes its place. */
  | ({ readonly kind: "succeed"; readonly id: number } & HolderStart)
  /** Passes a word on. `heir`: the process that takes the connections which this one gives away. */
  | { readonly kind: "say"; readonly pid: number; readonly word: SupervisorWord; readonly heir: number | null }
  /** Lets all sockets of a target go but these. */
  | { readonly kind: "keep"; readonly target: string; readonly sockets: readonly string[] };

/** How a holder is started. */
export interface HolderStart {
  readonly edition: string;
  /** Path of its program. */
  readonly main: string;
  /** Options of Node that come before it. */
  readonly nodeArgs: readonly string[];
}

export interface LaunchRequest {
  readonly target: string;
  /** Whose shared sockets it gets beside its own; the name of its service. */
  readonly group: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets all that the process prints. */
  readonly logPath: string;
  readonly passing: Passing;
}

/**
 * How a process gets sockets. `line`: it is node itself, with an agent, and gets words, too. `listen-fds`: as systemd does it
 * (sd_listen_fds(3)), with a last one of its own on which it is asked. `stdin`: as inetd does it with `wait`, for a JVM
 * (`System.inheritedChannel`); it opens the port on which it is asked. `nothing`: they would not reach the app.
 */
export type Passing = "line" | "listen-fds" | "stdin" | "nothing";

/** Where one process without an agent is asked, and nobody else. */
export interface OwnDoor {
  /** On 127.0.0.1. */
  readonly port: number;
  /** What it was given as `MIDFLIGHT_DRAIN_TOKEN`. */
  readonly token: string;
}

export interface ProbeRequest {
  readonly pid: number;
  readonly socket: string;
  readonly path: string;
  /** The server speaks TLS. */
  readonly isSecure: boolean;
  readonly timeoutMs: number;
}

export type HolderAnswer =
  | { readonly kind: "hello"; readonly edition: string; readonly children: readonly HeldFacts[]; readonly sockets: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: "launched"; readonly id: number; readonly pid: number; readonly target: string; readonly group: string; readonly door: OwnDoor | null }
  | { readonly kind: "bound"; readonly id: number }
  | { readonly kind: "succeeded"; readonly id: number }
  /** The parent of that process is gone: nobody hears of it any more. */
  | { readonly kind: "lost"; readonly pid: number }
  | { readonly kind: "probed"; readonly id: number; readonly status: number; readonly body: string }
  | { readonly kind: "failed"; readonly id: number; readonly reason: string }
  | { readonly kind: "heard"; readonly pid: number; readonly word: AgentWord }
  | { readonly kind: "exited"; readonly pid: number; readonly code: number | null; readonly signal: NodeJS.Signals | null };

export interface HeldFacts {
  readonly pid: number;
  readonly target: string;
  readonly group: string;
  readonly door: OwnDoor | null;
  /** Names of the sockets that its servers listen on. */
  readonly listening: readonly string[];
}

/** What a holder says to its successor. What comes before `all` is what there is; what comes after is what happens. */
export type ElderWord =
  /** A listening socket, in the message itself. */
  | { readonly kind: "socket"; readonly owner: string; readonly name: string; readonly isShared: boolean }
  | { readonly kind: "child"; readonly facts: HeldFacts }
  | { readonly kind: "all" }
  /** For the supervisor. */
  | { readonly kind: "answer"; readonly answer: HolderAnswer }
  /** An idle connection, in the message itself, for a process of the successor. */
  | { readonly kind: "connection"; readonly heir: number; readonly socket: string }
  /** A process closed it and opens it again: the successor lets it go, and says so to the process. */
  | { readonly kind: "closed"; readonly pid: number; readonly socket: string };

/** What a successor says to the holder before it. */
export type SuccessorWord =
  | { readonly kind: "published" }
  /** For one of its processes, or about sockets of which both have copies. */
  | { readonly kind: "request"; readonly request: HolderRequest }
  | { readonly kind: "keep-shared"; readonly group: string; readonly sockets: readonly string[] };
