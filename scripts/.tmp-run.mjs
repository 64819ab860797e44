import { mkdtempSync, realpathSync } from "node:fs";
import { spawnSync } from "node:child_process";
import os from "node:os"; import path from "node:path";
const { layOut } = await import("/work/wt/reload/e2e/forms/lay-out.ts");
const { nodeBinary } = await import("/work/wt/reload/scripts/node-versions.mjs");
const d = mkdtempSync(path.join(realpathSync(os.tmpdir()), "mf-reload-"));
layOut(d, ["forms", "reload"]);
for (const v of (process.argv[2] ?? "24").split(",")) {
const r = spawnSync(nodeBinary(Number(v)), ["--no-warnings", path.join(d, "reload-host.mjs"), d, process.argv[3] ?? ""], { encoding: "utf8", timeout: 60000 });
let ok = 0;
for (const l of r.stdout.trim().split("\n").filter(Boolean)) { const o = JSON.parse(l); if (JSON.stringify(o.got) === JSON.stringify(o.want)) ok++; else console.log("FAIL", v, o.name, "\n   got ", typeof o.got === "string" ? o.got : JSON.stringify(o.got), "\n   want", JSON.stringify(o.want)); }
console.log(v, ok, "ok", r.stderr.slice(0, 3000), r.status);
}
