/** Read before anything else is loaded: where nothing is configured, the agent costs one variable. */
export function isConfigured(): boolean {
  return Boolean(process.env["MIDFLIGHT_REGISTRY"]);
}

/** What the app itself goes by; the service's own socket is told from others by it. */
export function readPort(): string | undefined {
  return process.env["PORT"];
}

/**
 * The listening sockets that the process was given: name to file descriptor. They are this process's alone, not its children's.
 * Null if no supervisor started it.
 */
export function takeGivenSockets(variable: string): Map<string, number> | null {
  const text = process.env[variable];
  delete process.env[variable];
  return text === undefined ? null : new Map(Object.entries(JSON.parse(text) as Record<string, number>));
}
