export { type Clock } from "./clock.ts";
export { openMemoryRegistry } from "./memory-registry.ts";
export { openRegistry, type OpenRegistryOptions } from "./open-registry.ts";
export { serveRegistry, type RegistryServer, type ServeOptions } from "./serve-registry.ts";
