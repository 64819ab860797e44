// Watches a build and publishes each finished one to a registry in another process, and tells when each step ended.
import { userInfo } from "node:os";
import { codeOf, readRunningControl, readSecrets, layoutOf } from "@midflight/control";
import { createCollector, openProvenance, openPublisher, watchDirectory } from "@midflight/publisher";
import { connectRegistry } from "@midflight/registry-client";
import type { Registry } from "@midflight/protocol";
import { readSetup, tell } from "./project.ts";

const { config, projectDir } = readSetup();
const running = readRunningControl(layoutOf(projectDir));
if (running?.url === undefined || running.url === null) throw new Error("control does not run");
const { key, root, tokens } = readSecrets(config);
const code = codeOf(config);

const calls: { call: string; at: number; tookMs: number }[] = [];
const registry = timed(connectRegistry({ url: running.url, token: tokens.publisher, keepsProcessAlive: true }));
const collector = createCollector({ commands: config.services.map(({ name, run }) => ({ service: name, run })) });
const publisher = openPublisher({
  registry,
  app: config.app,
  channel: config.channelName,
  keys: { builder: key, planner: key, controller: key },
  root,
  by: userInfo().username,
  provenance: openProvenance({ projectDir, code }),
  analyses: collector.analyses,
});
const watched = watchDirectory({
  projectDir,
  code,
  ...(config.publish.marker === null ? {} : { marker: config.publish.marker }),
  quietMs: config.publish.quietMs,
  development: config.channel === "development",
  onProblem: (error) => tell("failed", { because: String(error) }),
});
process.once("SIGTERM", () => watched.close());

for await (const batch of watched) {
  const batchAt = now();
  calls.length = 0;
  publisher.lookAhead();
  const tree = await collector.collect(batch);
  const collectedAt = now();
  const outcome = await publisher.publish(tree);
  tell(outcome.kind, { reason: batch.reason, batchAt, collectedAt, publishedAt: now(), calls, ...(outcome.kind === "published" ? { number: outcome.number, rung: outcome.rung } : outcome) });
}
process.exit(0);

function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Writes down how long each call takes. */
function timed<T extends Registry>(inner: T): T {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function" || name === "onPoke") return value;
      return async (...args: unknown[]): Promise<unknown> => {
        const at = now();
        try {
          return await (Reflect.apply(value, target, args) as Promise<unknown>);
        } finally {
          calls.push({ call: String(name), at, tookMs: now() - at });
        }
      };
    },
  });
}
