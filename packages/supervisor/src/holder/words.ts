import type { AgentWord, SupervisorWord } from "@midflight/protocol";

/** What a supervisor asks of the holder; one JSON object a line. Requests with an `id` are answered. */
export type HolderRequest =
  | ({ readonly kind: "launch"; readonly id: number } & LaunchRequest)
  | ({ readonly kind: "probe"; readonly id: number } & ProbeRequest)
  /** Opens what a group of processes shares and is not open yet, and lets all others of the group go. */
  | { readonly kind: "bind"; readonly id: number; readonly group: string; readonly sockets: readonly string[] }
  /** Passes a word on. `heir`: the process that takes the connections which this one gives away. */
  | { readonly kind: "say"; readonly pid: number; readonly word: SupervisorWord; readonly heir: number | null }
  /** Lets all sockets of a target go but these. */
  | { readonly kind: "keep"; readonly target: string; readonly sockets: readonly string[] };

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
  | { readonly kind: "hello"; readonly children: readonly HeldFacts[]; readonly sockets: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: "launched"; readonly id: number; readonly pid: number; readonly target: string; readonly group: string; readonly door: OwnDoor | null }
  | { readonly kind: "bound"; readonly id: number }
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
