import type { AgentWord, SupervisorWord } from "@midflight/protocol";

/** What a supervisor asks of the holder; one JSON object a line. Requests with an `id` are answered. */
export type HolderRequest =
  | ({ readonly kind: "launch"; readonly id: number } & LaunchRequest)
  | ({ readonly kind: "probe"; readonly id: number } & ProbeRequest)
  /** Passes a word on. `heir`: the process that takes the connections which this one gives away. */
  | { readonly kind: "say"; readonly pid: number; readonly word: SupervisorWord; readonly heir: number | null }
  /** Lets all sockets of a target go but these. */
  | { readonly kind: "keep"; readonly target: string; readonly sockets: readonly string[] };

export interface LaunchRequest {
  readonly target: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets all that the process prints. */
  readonly logPath: string;
  /** The command is node itself: it can be given sockets, and words. */
  readonly hasLine: boolean;
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
  | { readonly kind: "launched"; readonly id: number; readonly pid: number; readonly target: string }
  | { readonly kind: "probed"; readonly id: number; readonly status: number; readonly body: string }
  | { readonly kind: "failed"; readonly id: number; readonly reason: string }
  | { readonly kind: "heard"; readonly pid: number; readonly word: AgentWord }
  | { readonly kind: "exited"; readonly pid: number; readonly code: number | null; readonly signal: NodeJS.Signals | null };

export interface HeldFacts {
  readonly pid: number;
  readonly target: string;
  /** Names of the sockets that its servers listen on. */
  readonly listening: readonly string[];
}
