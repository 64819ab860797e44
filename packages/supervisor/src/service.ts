/** What is kept running: a command and how it is told whether it is ready. */
export interface Service {
  readonly name: string;
  readonly run: string;
  /** A path or URL that answers 2xx when a process is ready; null: the agent's word is enough. */
  readonly health: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** False: its processes have no agent, of whatever language they are. They are told by HTTP and by signals, see spec/replace.md. */
  readonly agent: boolean;
  /** Sockets that are opened before its first process starts, and that all its processes share: `127.0.0.1:3000`, `:3000`. */
  readonly listen: readonly string[];
  /** Without an agent: how it gets them, see `Passing`. */
  readonly listenBy: "listen-fds" | "stdin";
  /** Without an agent: the path on which a process is asked to come to its end; null: by SIGTERM alone. */
  readonly drain: string | null;
  /** How long a process may take to be ready. Milliseconds. */
  readonly readyTimeoutMs: number;
  /** How long a process may take to end after SIGTERM. Milliseconds. */
  readonly stopTimeoutMs: number;
  /** How long open requests may take when another process takes over. Milliseconds. */
  readonly drainTimeoutMs: number;
  /** `hand-over`: the next process starts beside the one that serves, and takes its sockets. `restart`: one ends before the next begins. */
  readonly replace: "hand-over" | "restart";
}

/** Where the supervisor of one project keeps things. */
export interface SupervisorPaths {
  /** Where all of it lies. */
  readonly root: string;
  /** What is known of the processes, for a supervisor that comes after a crash. */
  readonly processes: string;
  /** Parent of what agents keep from start to start. */
  readonly states: string;
  state(target: string): string;
  log(target: string): string;
}
