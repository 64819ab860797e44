import fs from "node:fs";
import path from "node:path";
import { openRegistry } from "@midflight/registry";
import { keepHolder, readIfThere, type ServiceProcess } from "@midflight/supervisor";
import type { ResolvedConfig } from "./config/resolved-config.ts";
import { readEnvironment } from "./config/environment.ts";
import type { Listen } from "./event.ts";
import { openFleetKeeper } from "./fleet-keeper.ts";
import { openGates } from "./gates/open-gates.ts";
import { settleOrphans } from "./orphans.ts";
import { takeHold } from "./project/control-file.ts";
import { layoutOf } from "./project/layout.ts";
import { makeSecrets } from "./project/secrets.ts";
import { openFollowed } from "./rollout/followed.ts";
import { openRolloutKeeper } from "./rollout/rollout-keeper.ts";
import { openPublishing } from "./publishing.ts";
import { openPublishLoop } from "./publish-loop.ts";
import { serve } from "./serve.ts";

export interface StartOptions {
  /** Deploy by itself when code changes. */
  readonly watch: boolean;
  readonly listen: Listen;
}

/** The running control of one project on one host. */
export interface Control {
  /** Of the registry. */
  readonly url: string;
  readonly processes: readonly ServiceProcess[];
  /** Resolves when each process was ready, or had failed, for the first time. */
  readonly started: Promise<readonly ("ready" | "failed")[]>;
  /** Ends the processes, then the registry. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Boots a project: registry, first release if there is none, processes; then keeps the processes on the live release.
 * @throws MidflightError `CONTROL_ALREADY_RUNNING`, `PORT_IN_USE`, `REGISTRY_STORE_DAMAGED`, `KEY_MISSING`, and what a
 *   first publish throws; nothing is left running then
 */
export async function startControl(config: ResolvedConfig, { watch, listen }: StartOptions): Promise<Control> {
  const layout = layoutOf(config.projectDir);
  const undo: (() => unknown)[] = [];
  const unwind = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const { secrets } = makeSecrets(config);
    const hold = takeHold(layout);
    undo.push(() => hold.release());
    const holding = keepHolder(layout, countInherited(readEnvironment(), process.pid));
    undo.push(() => holding.close());
    // It starts while the registry opens.
    void holding.holder().catch(() => undefined);
    fs.mkdirSync(path.dirname(config.registryPath), { recursive: true });
    const registry = openRegistry({ path: config.registryPath });
    undo.push(() => registry.close());
    const formerPort = readIfThere(layout.port);
    const server = await serve(registry, config, layout, secrets.tokens);
    undo.push(() => server.close());
    hold.publish(server.url);
    listen({ kind: "registry-open", url: server.url });

    const publishing = openPublishing(registry, config, secrets);
    const loop = await openPublishLoop({ config, publishing, registry, secrets, listen, isWatching: watch });
    undo.push(() => loop.close());
    const isClosing = new AbortController();
    const orphans = await settleOrphans({ config, layout, holder: await holding.holder(), canBeAdopted: formerPort === new URL(server.url).port, listen, isHurried: isClosing.signal });
    undo.push(() => orphans.gone);
    const { publisher } = publishing;
    const followed = openFollowed(registry, config.channelName, secrets.root);
    const environment = readEnvironment();
    const gate = openGates({ gates: config.rollout.gates, registry, channel: config.channelName, environment });
    undo.push(() => gate?.close());
    const rollout = openRolloutKeeper({ config, layout, registry, publisher, followed, gate, listen });
    const keeper = openFleetKeeper({
      config, layout, registry, registryUrl: server.url, secrets, publisher, followed, orphans: orphans.adopted,
      holder: () => holding.holder(), environment,
      listen: (event) => {
        listen(event);
        rollout.hear(event);
      },
    });
    undo.push(() => isClosing.abort());
    // First the rollout: what ends now is ended by us.
    undo.push(() => keeper.close());
    undo.push(() => rollout.close());
    return {
      url: server.url,
      processes: keeper.processes,
      started: Promise.all(keeper.processes.map((process) => process.firstOutcome)),
      close: unwind,
    };
  } catch (error) {
    await unwind();
    throw error;
  }
}

/** Listening sockets that systemd, or whoever does as it does, started this very process with (sd_listen_fds(3)). */
function countInherited(environment: Readonly<Record<string, string | undefined>>, pid: number): number {
  const count = Number(environment["LISTEN_FDS"] ?? "0");
  return environment["LISTEN_PID"] === String(pid) && Number.isInteger(count) && count > 0 ? Math.min(count, 64) : 0;
}
