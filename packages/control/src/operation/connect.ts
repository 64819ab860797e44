import { MidflightError, type Registry } from "@midflight/protocol";
import { connectRegistry } from "@midflight/registry-client";
import type { ResolvedConfig } from "../config/resolved-config.ts";
import { readRunningControl, type ControlFile } from "../project/control-file.ts";
import { layoutOf, type Layout } from "../project/layout.ts";
import { readSecrets, type Secrets } from "../project/secrets.ts";

/** What every operation stands on: a running control, reached through its registry. */
export interface Connection {
  readonly config: ResolvedConfig;
  readonly layout: Layout;
  readonly registry: Registry;
  readonly secrets: Secrets;
  readonly control: ControlFile;
  close(): Promise<void>;
}

/** @throws MidflightError `CONTROL_NOT_RUNNING`, `KEY_MISSING`, `REGISTRY_UNREACHABLE` */
export async function connectControl(config: ResolvedConfig, role: "publisher" | "reader" = "reader"): Promise<Connection> {
  const layout = layoutOf(config.projectDir);
  const control = readRunningControl(layout);
  if (control === null || control.url === null) {
    throw new MidflightError("CONTROL_NOT_RUNNING", {
      what: control === null ? `midflight up does not run for ${config.app}.` : "midflight up is just starting.",
      why: control === null ? "it was not started here, or it ended." : "its registry does not serve yet.",
      state: "nothing was done.",
      fix: [control === null ? "midflight up" : "run the command again in a moment"],
      retryable: control !== null,
      details: { projectDir: config.projectDir },
    });
  }
  const secrets = readSecrets(config);
  const registry = connectRegistry({ url: control.url, token: secrets.tokens[role], keepsProcessAlive: true });
  return { config, layout, registry, secrets, control, close: () => registry.close() };
}
