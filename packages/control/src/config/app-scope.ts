import type { ScopeOptions } from "@midflight/publisher";
import type { ResolvedConfig } from "./resolved-config.ts";

/** The code directories of all services, each once. */
export function codeOf(config: ResolvedConfig): readonly string[] {
  return [...new Set(config.services.flatMap((service) => service.code))];
}

/** What makes up the app, as sources want it: the same for a watch and for a look, or the marker would be code to one of them. */
export function scopeOf(config: ResolvedConfig): ScopeOptions & { readonly projectDir: string } {
  const { marker } = config.publish;
  return { projectDir: config.projectDir, code: codeOf(config), assets: config.assets, ...(marker === null ? {} : { marker }) };
}
