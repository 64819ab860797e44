import type { FileEntry, ReleaseId } from "@midflight/protocol";
import type { RunCommand } from "../cli/context.ts";
import { count } from "../output/text.ts";
import { nameOf, releaseJson } from "../view/release-view.ts";
import { renderVerdicts } from "../view/verdict-view.ts";
import { connected } from "./connected.ts";

/** `midflight releases diff r1 r2`: which files differ, and how a process would get from one to the other. */
export function releasesDiff(from: string, to: string): RunCommand {
  return (context) =>
    connected(context, "reader", async (connection) => {
      const { findRelease, readFiles, readHistory } = await import("@midflight/control");
      const history = await readHistory(connection);
      const [a, b] = [findRelease(history, from), findRelease(history, to)];
      const [before, after] = await Promise.all([readFiles(connection, a.release.tree), readFiles(connection, b.release.tree)]);
      const changes = diffFiles(before, after);
      const transition = history.transition(a.id, b.id);
      const pane = context.screen.out;
      const tones = { added: pane.paint("good", "+"), removed: pane.paint("bad", "-"), changed: pane.paint("warn", "~") };
      return {
        data: { from: releaseJson(a), to: releaseJson(b), files: changes, rung: transition?.rung ?? null, verdicts: transition?.verdicts ?? null },
        lines: [
          `${nameOf(a.release, a.id)} → ${nameOf(b.release, b.id)}   ${count(changes.length, "file")}`,
          ...changes.map(({ path, change }) => `  ${tones[change]} ${path}`),
          ...(transition === null ? [] : ["In a running process", ...renderVerdicts(transition.verdicts, pane, "  ")]),
        ],
        next: b.state === "assigned" ? [] : [{ command: `midflight deploy r${b.number}`, why: `bring r${b.number} live` }],
      };
    });
}

type Change = "added" | "removed" | "changed";
type Files = ReadonlyMap<string, FileEntry>;

function diffFiles(before: Files, after: Files): { readonly path: string; readonly kind: FileEntry["kind"]; readonly change: Change; readonly from: ReleaseId | null; readonly to: ReleaseId | null }[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [a, b] = [before.get(path), after.get(path)];
    const [from, to] = [digestOf(a), digestOf(b)];
    if (from === to) return [];
    const change: Change = a === undefined ? "added" : b === undefined ? "removed" : "changed";
    return [{ path, kind: (b ?? a)!.kind, change, from, to }];
  });
}

/** A unit is what its source is; how it was instrumented is no change of it. */
function digestOf(entry: FileEntry | undefined): ReleaseId | null {
  return entry === undefined ? null : entry.kind === "unit" ? entry.source : entry.digest;
}
