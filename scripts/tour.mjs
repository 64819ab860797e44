// The tour: a real shop under load, changed while it runs. `--once` ends by itself, and so does a run without a terminal.
// Exit code 0 only if everything that the tour claims was true.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const help = `npm start                 the tour; then the shop stays up for your own edits
npm start -- --once       ends after the tour
npm start -- --shop DIR   another copy of examples/shop, with its edits.ts
PORT=8080 npm start       the first port to try; 3000 is the default
`;

/** @returns {{ once: boolean, shop: string, help: boolean } | string} */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: { once: { type: "boolean", default: false }, shop: { type: "string", default: "examples/shop" }, help: { type: "boolean", short: "h", default: false } },
    });
    return values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const options = readArguments();
if (typeof options === "string") {
  process.stderr.write(`✖ ${options}\n\n${help}`);
  process.exitCode = 2;
} else if (options.help) {
  process.stdout.write(help);
} else {
  // The shop runs on the same Node as the tour, however that was found.
  process.env["PATH"] = [path.dirname(process.execPath), process.env["PATH"] ?? ""].join(path.delimiter);
  // The tour holds event streams open, and a request keeps its release: by default for so long that the next edit waits.
  process.env["MIDFLIGHT_PIN_MS"] ??= "1000";
  const { runTour } = await import("./tour/run-tour.ts");
  const code = await runTour({ root, shop: path.resolve(root, options.shop), once: options.once, variables: process.env });
  // What is still written leaves first.
  process.stdout.write("", () => process.exit(code));
}
