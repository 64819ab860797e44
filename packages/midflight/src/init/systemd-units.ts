import type { ResolvedConfig } from "@midflight/control";

export interface UnitOptions {
  /** The Node that runs it; absolute. */
  readonly node: string;
  /** The command line's program; absolute. */
  readonly program: string;
  /** Who it runs as. */
  readonly user: string;
}

/** systemd ends it after this, beyond what the slowest service may take to end. */
const graceSeconds = 10;

/** Unit files of a project, by name: a service, and a socket if the configuration names one to be listened on. */
export function renderUnits(config: ResolvedConfig, { node, program, user }: UnitOptions): ReadonlyMap<string, string> {
  const name = `midflight-${config.app.replace(/[^A-Za-z0-9_.-]/g, "-")}`;
  const sockets = config.services.flatMap(({ listen }) => listen);
  const stopSeconds = Math.ceil(Math.max(...config.services.map(({ stopTimeoutMs }) => stopTimeoutMs)) / 1000) + graceSeconds;
  const units = new Map<string, string>();
  units.set(`${name}.service`, lines([
    "[Unit]",
    `Description=${escape(config.app)}, kept running by midflight`,
    "After=network.target",
    ...(sockets.length === 0 ? [] : [`Requires=${name}.socket`, `After=${name}.socket`]),
    "# However often it ends: what hinders it now, such as a full disk, may be over later.",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=exec",
    `User=${user}`,
    `WorkingDirectory=${escape(config.projectDir)}`,
    `ExecStart=${[node, program, "up"].map(quote).join(" ")}`,
    "Restart=always",
    "RestartSec=1",
    "# Only midflight is told: it ends its processes itself, and if it is lost they serve on and are found again.",
    "KillMode=process",
    `TimeoutStopSec=${stopSeconds}`,
    "Environment=NODE_ENV=production",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
  ]));
  if (sockets.length > 0) {
    units.set(`${name}.socket`, lines([
      "[Unit]",
      `Description=Sockets of ${escape(config.app)}`,
      "",
      "[Socket]",
      ...sockets.map((socket) => `ListenStream=${streamOf(socket)}`),
      "Backlog=511",
      "",
      "[Install]",
      "WantedBy=sockets.target",
    ]));
  }
  return units;
}

/** systemd.socket(5): a port alone is every address, and an IPv6 address stands in brackets. */
function streamOf(socket: string): string {
  const at = socket.lastIndexOf(":");
  const host = socket.slice(0, at);
  if (host === "") return socket.slice(at + 1);
  return host.includes(":") ? `[${host}]${socket.slice(at)}` : socket;
}

/** systemd.syntax(7): `%` begins a specifier. */
function escape(text: string): string {
  return text.replaceAll("%", "%%");
}

/** systemd.service(5), "Command lines": `$` begins a variable, too. */
function quote(word: string): string {
  const text = escape(word).replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
