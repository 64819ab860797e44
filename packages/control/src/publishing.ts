import os from "node:os";
import type { Registry } from "@midflight/protocol";
import { createCollector, openProvenance, openPublisher, type Collector, type Publisher, type ScopeOptions } from "@midflight/publisher";
import { readEnvironment } from "./config/environment.ts";
import type { ResolvedConfig } from "./config/resolved-config.ts";
import type { Secrets } from "./project/secrets.ts";

/** What turns a project's files into releases. */
export interface Publishing {
  readonly collector: Collector;
  readonly publisher: Publisher;
}

export function openPublishing(registry: Registry, config: ResolvedConfig, { key, root }: Pick<Secrets, "key" | "root">): Publishing {
  const collector = createCollector({ commands: config.services.map(({ name, run }) => ({ service: name, run })) });
  const publisher = openPublisher({
    registry,
    app: config.app,
    channel: config.channelName,
    keys: { builder: key, planner: key, controller: key },
    root,
    by: whoAmI(),
    provenance: openProvenance({ projectDir: config.projectDir, code: codeOf(config) }),
    analyses: collector.analyses,
  });
  return { collector, publisher };
}

/** The code directories of all services, each once. */
export function codeOf(config: ResolvedConfig): readonly string[] {
  return [...new Set(config.services.flatMap((service) => service.code))];
}

/** What makes up the app, as sources want it: the same for a watch and for a look, or the marker would be code to one of them. */
export function scopeOf(config: ResolvedConfig): ScopeOptions & { readonly projectDir: string } {
  const { marker } = config.publish;
  return { projectDir: config.projectDir, code: codeOf(config), assets: config.assets, ...(marker === null ? {} : { marker }) };
}

/** For people; a signature says who it really was. */
function whoAmI(): string {
  const name = readEnvironment()["USER"] ?? readEnvironment()["LOGNAME"];
  return name === undefined || name === "" ? os.hostname() : name;
}
