import { mkdtemp, mkdir, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { repositoryRoot, startProcess, type StartedProcess } from "@midflight/testkit";
import { nodeBinary } from "../../scripts/node-versions.mjs";

/** A machine as somebody finds it who meets midflight for the first time: Node.js and npm, nothing else of ours. */
export interface Newcomer {
  /** An empty folder; relative paths below start here. */
  readonly folder: string;
  /** Starts a command there. */
  start(cwd: string, command: string, ...args: readonly string[]): Promise<StartedProcess>;
  /** Runs a command to its end. @throws if it fails */
  run(cwd: string, command: string, ...args: readonly string[]): Promise<void>;
  /** Ends what still runs, and removes the folder. */
  close(): Promise<void>;
}

/** Far beyond what any of it takes, also on a slow network. */
export const withinMs = 600_000;

export async function openNewcomer(): Promise<Newcomer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "midflight-newcomer-"));
  const bin = path.join(folder, ".node");
  await mkdir(bin);
  await symlink(nodeBinary(24), path.join(bin, "node"));
  const env = environment(bin, path.join(folder, ".npm-cache"));
  const started: StartedProcess[] = [];
  const start: Newcomer["start"] = async (cwd, command, ...args) => {
    const one = await startProcess({ command, args, cwd: path.join(folder, cwd), env });
    started.push(one);
    return one;
  };
  return {
    folder,
    start,
    run: async (cwd, command, ...args) => {
      const ran = await start(cwd, command, ...args);
      const { code } = await ran.exited;
      if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${[...ran.stdout.lines, ...ran.stderr.lines].slice(-20).join("\n")}`);
    },
    close: async () => {
      for (const one of started) if (one.isGroupAlive) await one.killGroup();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** How this machine reaches the network is its own. */
const network = /^(?:npm_config_(?:registry|cafile|proxy|https_proxy|noproxy)|NODE_EXTRA_CA_CERTS)$/i;

/** That of this process without what npm and this repository put into it, with an empty cache. */
function environment(bin: string, cache: string): Readonly<Record<string, string | undefined>> {
  const ours = Object.keys(process.env).filter((name) => /^(?:npm_|NODE_|INIT_CWD$|MIDFLIGHT_|CI$|FORCE_COLOR$)/i.test(name) && !network.test(name));
  const foreign = (process.env["PATH"] ?? "").split(path.delimiter).filter((entry) => !entry.startsWith(repositoryRoot) && !/node_modules\/\.bin$|node-gyp-bin$/.test(entry));
  return { ...Object.fromEntries(ours.map((name) => [name, undefined])), PATH: [bin, ...foreign].join(path.delimiter), npm_config_cache: cache, NO_COLOR: "1", LANG: "C.UTF-8", LC_ALL: undefined };
}
