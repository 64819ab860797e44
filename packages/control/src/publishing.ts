import os from "node:os";
import type { Registry } from "@midflight/protocol";
import { createAgentless, createCollector, openProvenance, openPublisher, type Collector, type Publisher } from "@midflight/publisher";
import { codeOf } from "./config/app-scope.ts";
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
  const agentless = createAgentless(config.services.filter(({ agent }) => !agent));
  const publisher = openPublisher({
    ...(agentless !== undefined && { agentless }),
    registry,
    app: config.app,
    channel: config.channelName,
    keys: { builder: key, planner: key, controller: key },
    root,
    by: whoAmI(),
    requests: config.requests,
    provenance: openProvenance({ projectDir: config.projectDir, code: codeOf(config) }),
    analyses: collector.analyses,
  });
  return { collector, publisher };
}

/** For people; a signature says who it really was. */
function whoAmI(): string {
  const name = readEnvironment()["USER"] ?? readEnvironment()["LOGNAME"];
  return name === undefined || name === "" ? os.hostname() : name;
}
