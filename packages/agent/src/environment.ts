/** Read before anything else is loaded: where nothing is configured, the agent costs one variable. */
export function isConfigured(): boolean {
  return Boolean(process.env["MIDFLIGHT_REGISTRY"]);
}
