// Publishes a project once, in a process of its own. Argument: JSON of PublishOrder. Prints each step, then the outcome.
import { readFileSync } from "node:fs";
import { parseTrustRoot, readSigningKey } from "@midflight/trust";
import { createCollector, openProvenance, openPublisher, readFolder } from "@midflight/publisher";
import { connectRegistry } from "@midflight/registry-client";
import { dieNow, withSteps } from "./killable-registry.ts";

export interface PublishOrder {
  readonly projectDir: string;
  readonly channel: string;
  readonly rootFile: string;
  readonly keyFile: string;
  readonly url: string;
  readonly token: string;
  /** Number of the step, counted from 0, at which to die; null: none. */
  readonly dieAt: number | null;
}

const order = JSON.parse(process.argv[2] ?? "") as PublishOrder;
const { projectDir, channel, dieAt } = order;
let at = 0;
const registry = withSteps(connectRegistry({ url: order.url, token: order.token, keepsProcessAlive: true }), (step, moment) => {
  console.log(`step ${at} ${step} ${moment}`);
  if (at === dieAt) dieNow(`${step} ${moment}`);
  at += 1;
});
const key = readSigningKey(readFileSync(order.keyFile, "utf8"));
const collector = createCollector({ commands: [{ service: "web", run: "node src/server.js" }] });
const publisher = openPublisher({
  registry, channel,
  app: channel.split("/")[0] ?? "",
  keys: { builder: key, planner: key, controller: key },
  root: parseTrustRoot(JSON.parse(readFileSync(order.rootFile, "utf8"))),
  by: "e2e",
  provenance: openProvenance({ projectDir, code: ["src"], environment: {} }),
  analyses: collector.analyses,
});
const outcome = await publisher.publish(await collector.collect(await readFolder({ projectDir, code: ["src"] })));
console.log(`outcome ${JSON.stringify({ kind: outcome.kind, release: "release" in outcome ? outcome.release : null })}`);
await registry.close();
