import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { freePort } from "@midflight/testkit";
import { nodeBinary } from "../../scripts/node-versions.mjs";

/** Somewhere to send requests, and who works for them. */
export interface Way {
  readonly name: string;
  readonly url: URL;
  readonly pids: readonly number[];
  close(): void;
}

const rivals = path.join(import.meta.dirname, "../rivals");

/** The app by itself. */
export async function direct(): Promise<Way> {
  const port = await freePort();
  return started("direct", port, spawn(nodeBinary(24), [path.join(import.meta.dirname, "app.mjs")], { env: { PORT: String(port) }, stdio: "ignore" }), []);
}

export async function throughHttpProxy(app: Way): Promise<Way> {
  const port = await freePort();
  const file = path.join(rivals, "node_modules/.http-proxy.mjs");
  // It finds its packages from where it lies.
  writeFileSync(file, readFileSync(path.join(import.meta.dirname, "http-proxy.mjs")));
  return started("http-proxy", port, spawn(nodeBinary(24), [file], { env: { PORT: String(port), TARGET: app.url.href }, stdio: "ignore" }), app.pids);
}

/** Null where haproxy is not installed. */
export async function throughHaproxy(app: Way, directory: string): Promise<Way | null> {
  if (spawnSync("haproxy", ["-v"]).status !== 0) return null;
  const port = await freePort();
  const file = path.join(directory, "haproxy.cfg");
  writeFileSync(file, `global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\nfrontend in\n  bind 127.0.0.1:${port}\n  default_backend out\nbackend out\n  server app ${app.url.host}\n`);
  return started("haproxy", port, spawn("haproxy", ["-db", "-f", file], { stdio: "ignore" }), app.pids);
}

function started(name: string, port: number, child: ChildProcess, others: readonly number[]): Way {
  return { name, url: new URL(`http://127.0.0.1:${port}`), pids: [child.pid!, ...others], close: () => void child.kill("SIGKILL") };
}

/** CPU that processes have used so far, in microseconds. proc(5): user and system time are the 14th and 15th field, in hundredths of a second. */
export function cpuUs(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) * 10_000;
}
