// A registry in a process of its own. Arguments: database file, port, token, and a file that holds where to die: "append before".
import { readFileSync, rmSync } from "node:fs";
import { openRegistry, serveRegistry } from "@midflight/registry";
import { dieNow, withSteps } from "./killable-registry.ts";

const [, , file = "", port = "0", token = "", orders = ""] = process.argv;
const registry = withSteps(openRegistry({ path: file }), (step, moment) => {
  if (orderedStep() !== `${step} ${moment}`) return;
  rmSync(orders);
  dieNow(`${step} ${moment}`);
});
const { url } = await serveRegistry(registry, { port: Number(port), tokens: { [token]: ["agent", "publisher", "reader"] } });
console.log(`open ${url}`);

function orderedStep(): string | null {
  try {
    return readFileSync(orders, "utf8");
  } catch {
    return null;
  }
}
