import type { Config, ServiceConfig } from "@midflight/control";

export { type Config, type ServiceConfig };

/** Gives the configuration file its types; the value is checked when it is read. */
export function defineConfig(config: Config): Config {
  return config;
}
