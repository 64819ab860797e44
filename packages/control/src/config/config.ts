import type { RequestPolicy, Rung } from "@midflight/protocol";

/**
 * What a project says about itself, in `midflight.config.ts` (`export default defineConfig({…})`) or under
 * `midflight` in package.json. Paths count from the file's directory. A key that is not here is refused.
 */
export interface Config {
  /** Name of the app. Default: `name` of package.json. */
  readonly app?: string;
  /** Which log of the app its processes follow. `development` deploys without a question. Default: `development`. */
  readonly channel?: string;
  /** Where releases are kept: `sqlite:` and a file. Default: `sqlite:.midflight/registry.db`. */
  readonly registry?: string;
  /** Port of the registry on 127.0.0.1. Default: any free one, kept from start to start. */
  readonly port?: number;
  readonly services: Readonly<Record<string, ServiceConfig>>;
  /** Other files that the code reads, as globs; they are part of a release. Default: none. */
  readonly assets?: readonly string[];
  readonly publish?: {
    /** A file that the build writes last; its change ends a batch at once. Default: none. */
    readonly marker?: string;
    /** How long no file may change before a batch is closed, without a marker. Milliseconds. Default: 75. */
    readonly quietMs?: number;
  };
  /** What a swap means to requests that are under way. */
  readonly requests?: {
    /** `request`: they end on the code they began with. `call`: each call takes the newest. `drain`: new ones are held until they have ended. Default: `request`. */
    readonly policy?: RequestPolicy["kind"];
    /** `request`: how long one may stay on the code it began with. Milliseconds. Default: 10 000. */
    readonly pinMs?: number;
    /** `drain`: how long new ones may be held. Milliseconds. Default: 2 000. */
    readonly holdMs?: number;
    /** `drain`: how many one process may hold. Default: 1 000. */
    readonly maxHeld?: number;
    /** One beyond its bound goes on with the new code (`move-on`), or its process is replaced (`replace`). Default: `move-on`. */
    readonly straggler?: RequestPolicy["straggler"];
  };
  readonly rollout?: {
    /** The strongest way that a deploy may take without being told. Default: `reload`. */
    readonly maxRung?: Rung;
    /** Waves: how many processes (`"1"`) or which share of them (`"25%"`) each step reaches; the last is `"100%"`. Default: none, all at once. */
    readonly steps?: readonly string[];
    /** How long each wave but the last has to stay healthy before the next one follows: `"60s"`, `"15m"`. Default: `"60s"`. */
    readonly bake?: string;
    /** How long it may take until one more process of a wave confirms it; then it is taken back. Default: `"2m"`. */
    readonly deadline?: string;
    /** What a wave is held against while it bakes. Default: nothing. */
    readonly gates?: GatesConfig;
  };
  readonly signing?: {
    /** Where the signing key is: `file:` and a path, or `env:` and a variable that holds the PEM. Default: `file:.midflight/keys/development.key`. */
    readonly key?: string;
  };
}

/** A wave that is beyond one of these is taken back. One that nobody can judge yet waits: no data is not success. */
export interface GatesConfig {
  /** How many requests may fail: a share (`"1%"`), or so many times what the other processes have (`"2x"`). Default: not judged. */
  readonly errors?: string;
  /** How long the slowest one in a hundred may take: a time (`"250ms"`, `"1.5s"`), or so many times what it takes in the other processes (`"1.3x"`). Default: not judged. */
  readonly p99?: string;
  /** With fewer requests per service, the two above say nothing. Default: 100. */
  readonly minRequests?: number;
  /** The services to which the two above apply. Default: all that are asked over HTTP. */
  readonly services?: readonly string[];
  /** Queries to Prometheus. Default: none. */
  readonly prometheus?: PrometheusConfig | readonly PrometheusConfig[];
  /** URLs that have to answer 2xx. Default: none. */
  readonly health?: string | readonly string[];
}

export interface PrometheusConfig {
  /** Of the server, e.g. `http://prometheus:9090`. */
  readonly url: string;
  /** PromQL that gives a scalar or a vector; `$wave` stands for a pattern of the wave's processes. */
  readonly query: string;
  /** The highest value that is well. */
  readonly max: number;
  /** `env:` and the variable of `midflight up` that holds a bearer token. Default: none is sent. */
  readonly token?: string;
}

export interface ServiceConfig {
  /** The command that starts one process, e.g. `node dist/server.js`. Its paths count from the project's directory. */
  readonly run: string;
  /** Directory, or directories, of the code that may change while it runs. */
  readonly code: string | readonly string[];
  /** How many processes. With more than one, process n gets `PORT` + n − 1. Default: 1. */
  readonly processes?: number;
  /** Path or URL that answers 2xx when a process is ready. A path needs `env.PORT`, or a URL that the process prints. Default: none. */
  readonly health?: string;
  /** Variables that its processes get, beside those of `midflight up`. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * False for a program that is not Node, or that shall run without the agent: its code never changes while it runs, and it is told by
   * HTTP and by signals. Needs `health`. Default: true.
   */
  readonly agent?: boolean;
  /**
   * Sockets that midflight opens before the first process starts, and that all processes of the service share: a port, or an address and
   * port. With the agent `server.listen` finds them; without, they are passed as systemd does it (`LISTEN_FDS`), and one more, named
   * `midflight`, on which `health` and `drain` are asked. `PORT` is the first one's. Default: none; the app opens its own.
   */
  readonly listen?: readonly (number | string)[];
  /**
   * Without the agent: how it gets the sockets. `stdin`: its only one is descriptor 0, as a JVM wants it (`System.inheritedChannel`), and
   * the program opens the port `MIDFLIGHT_DOOR_PORT` on 127.0.0.1 itself, on which `health` and `drain` are asked. Default: `listen-fds`.
   */
  readonly listenBy?: "listen-fds" | "stdin";
  /** Without the agent: path that is asked by POST until it answers `{"safeToStop": true}`. Default: none; it is told by SIGTERM alone. */
  readonly drain?: string;
  /** How long a process may take to be ready. Milliseconds. Default: 30 000. */
  readonly readyTimeoutMs?: number;
  /** How long a process may take to end after SIGTERM. Milliseconds. Default: 10 000. */
  readonly stopTimeoutMs?: number;
  /** How long requests may take that are open when another process takes over. Milliseconds. Default: 30 000. */
  readonly drainTimeoutMs?: number;
  /**
   * How a process is replaced. `hand-over`: the next one starts beside it and takes its sockets, no request fails. `restart`: it
   * ends first; for what cannot run twice at a time. Default: `hand-over`.
   */
  readonly replace?: "hand-over" | "restart";
}
