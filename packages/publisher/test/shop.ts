import type { TestContext } from "node:test";
import { type Beat, type Registry, type ReleaseId } from "@midflight/protocol";
import { createTrustRoot, generateSigningKey, type SigningKey, type TrustRoot } from "@midflight/trust";
import { createCollector, openProvenance, openPublisher, readFolder, type CollectedTree, type Collector, type Publisher, type PublisherOptions, type PublishOutcome } from "../src/index.ts";
import { createProject, type Project } from "./project.ts";

export const channel = "shop/development";

export interface Shop {
  readonly project: Project;
  readonly key: SigningKey;
  readonly root: TrustRoot;
  readonly collector: Collector;
  readonly publisher: Publisher;
  /** The tree as it is on disk. */
  collect(): Promise<CollectedTree>;
  /** Writes, collects, publishes. */
  save(files: Readonly<Record<string, string>>): Promise<PublishOutcome>;
  /** Another publisher of the same channel, with nothing in memory. */
  again(registry?: Registry): Publisher;
}

export const files = {
  "package.json": '{"type":"module"}',
  "package-lock.json": "{}",
  "src/server.js": 'import { price } from "./price.js";\nexport function handle(n) {\n  return `costs ${price(n)}`;\n}\n',
  "src/price.js": "export function price(n) {\n  return n * 2;\n}\n",
  "src/tax.js": "export function tax(n) {\n  return n * 0.2;\n}\n",
};

export const priceOf = (factor: number | string): Record<string, string> => ({ "src/price.js": `export function price(n) {\n  return n * ${factor};\n}\n` });
export const taxOf = (factor: number): Record<string, string> => ({ "src/tax.js": `export function tax(n) {\n  return n * ${factor};\n}\n` });

export function createShop(t: TestContext, registry: Registry, more: Partial<PublisherOptions> = {}): Shop {
  const project = createProject(t, files);
  const key = generateSigningKey();
  const root = createTrustRoot("shop", [{ name: "development", key, roles: ["builder", "planner", "controller"] }]);
  const collector = createCollector({ commands: [{ service: "web", run: "node src/server.js" }] });
  const open = (own: Collector, at: Registry): Publisher =>
    openPublisher({
      registry: at,
      app: "shop",
      channel,
      keys: { builder: key, planner: key, controller: key },
      root,
      by: "ada",
      provenance: openProvenance({ projectDir: project.dir, code: ["src"], environment: {} }),
      analyses: own.analyses,
      ...more,
    });
  const publisher = open(collector, registry);
  t.after(() => publisher.close());
  const collect = async (): Promise<CollectedTree> => collector.collect(await readFolder({ projectDir: project.dir, code: ["src"], isFinished: true }));
  return {
    project,
    key,
    root,
    collector,
    publisher,
    collect,
    async save(changed) {
      project.write(changed);
      return publisher.publish(await collect());
    },
    again: (at = registry) => open(createCollector({ commands: [] }), at),
  };
}

export function published(outcome: PublishOutcome): Extract<PublishOutcome, { kind: "published" }> {
  if (outcome.kind !== "published") throw new Error(`not published: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** An agent that runs on a boot release. */
export async function bootAgent(registry: Registry, boot: ReleaseId | null, name = "web-1"): Promise<void> {
  const beat: Beat = {
    agent: `${name}-agent`, target: name, service: "web", host: "h", pid: 1, thread: 0, runtime: "node 24", startedAt: new Date().toISOString(),
    channel, state: boot === null ? "unregistered" : "following", boot, live: boot, counter: 0, generation: 0,
  };
  await registry.beat(beat, 60_000);
}
