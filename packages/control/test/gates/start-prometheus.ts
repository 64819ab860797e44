import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";

/** A server of one's own, with nothing to scrape but itself. */
export async function startPrometheus(binary: string): Promise<{ readonly url: string; readonly close: () => void }> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-prometheus-"));
  const config = path.join(directory, "prometheus.yml");
  writeFileSync(config, `scrape_configs: [{ job_name: self, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }]\n`);
  const child = spawn(binary, [`--config.file=${config}`, `--storage.tsdb.path=${directory}/data`, `--web.listen-address=127.0.0.1:${port}`], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      log += chunk;
      if (log.includes("Server is ready to receive web requests")) resolve();
    });
    child.once("exit", () => reject(new Error(`it ended:\n${log}`)));
    child.once("error", reject);
  });
  await ready;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      child.once("exit", () => rmSync(directory, { recursive: true, force: true }));
      child.kill();
    },
  };
}
