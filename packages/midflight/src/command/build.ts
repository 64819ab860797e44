import path from "node:path";
import { type RunCommand, usage } from "../cli/context.ts";
import { count, hanging } from "../output/text.ts";
import { connected } from "./connected.ts";
import { progressOf } from "./progress.ts";
import { serves } from "./serves.ts";

/** `midflight build --out DIR`: a release directory for an image; nothing live changes. */
export function build(options: Readonly<Record<string, unknown>>): RunCommand {
  return async (context) => {
    const out = options["out"];
    if (typeof out !== "string" || out === "") throw usage("build needs the directory to make.", "midflight build --out image");
    const directory = path.resolve(context.directory, out);
    return connected(context, "publisher", async (connection) => {
      const { buildRelease } = await import("@midflight/control");
      const progress = progressOf(context);
      try {
        progress.show("Reading and building");
        const { outcome, tree, lockFile, live } = await buildRelease(connection, { directory, meta: (options["meta"] ?? {}) as Record<string, string> });
        progress.show("");
        const { number, release: digest } = outcome;
        const pane = context.screen.out;
        const units = tree.shape.units.size;
        return {
          data: {
            outcome: outcome.kind, release: `r${number}`, number, digest, tree: tree.root, live: live === null ? null : `r${live}`,
            directory, files: tree.files.size, units, lockFile,
          },
          lines: [
            ...hanging(`${pane.paint("strong", "Build")}  `, 7, `r${number} in ${out}: ${count(tree.files.size, "file")}, ${units} of them code`, pane.width),
            ...hanging("", 2, outcome.kind === "known" ? `r${number} was there already: the code is the same.` : "It is a new release, and not live.", pane.width),
            ...(lockFile === null ? hanging("  !", 4, "There is no lock file of the project's own: install the dependencies as the project does.", pane.width) : []),
            ...hanging("", 2, live === number ? `r${number} is what is live.` : `Nothing changed for what runs: ${serves(live ?? undefined)}`, pane.width),
          ],
          next: live === number ? [{ command: `midflight show r${number}`, why: "where it comes from" }] : [{ command: `midflight deploy r${number}`, why: "make it the live one" }],
        };
      } finally {
        progress.end();
      }
    });
  };
}
