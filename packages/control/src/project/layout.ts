import path from "node:path";
import type { Digest, ReleaseId } from "@midflight/protocol";

/** Where everything of a project lies; all of it under `.midflight`, which git ignores. */
export interface Layout {
  readonly root: string;
  readonly trustRoot: string;
  readonly tokens: string;
  readonly developmentKey: string;
  /** Who holds the project now. */
  readonly control: string;
  /** The port of the registry, kept so that processes find it again. */
  readonly port: string;
  /** What control knows of its processes, for a control that comes after a crash and for `ps`. */
  readonly processes: string;
  /** The rollout by waves that goes on, or the last one, for a control that comes after a crash and for `status`. */
  readonly rollout: string;
  readonly releases: string;
  /** What agents and control keep from start to start. */
  readonly states: string;
  state(target: string): string;
  log(target: string): string;
  release(id: ReleaseId): string;
  /** What was installed, kept for the releases that were made with it. */
  packages(key: Digest): string;
}

export function layoutOf(projectDir: string): Layout {
  const root = path.join(projectDir, ".midflight");
  return {
    root,
    trustRoot: path.join(root, "root.json"),
    tokens: path.join(root, "tokens.json"),
    developmentKey: path.join(root, "keys", "development.key"),
    control: path.join(root, "control.json"),
    states: path.join(root, "state"),
    port: path.join(root, "state", "port"),
    processes: path.join(root, "state", "processes.json"),
    rollout: path.join(root, "state", "rollout.json"),
    releases: path.join(root, "releases"),
    state: (target) => path.join(root, "state", target),
    log: (target) => path.join(root, "logs", `${target}.log`),
    packages: (key) => path.join(root, "packages", key.slice(7, 23)),
    release: (id) => path.join(root, "releases", id.slice(7, 23)),
  };
}
