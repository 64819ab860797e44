import { hash } from "node:crypto";
import { readMappings, writeMappings, type Segment } from "@midflight/protocol";
import type { UnitMap } from "./overlay.ts";
import type { Growth } from "./placed.ts";

export function dataUrl(bytes: Uint8Array): string {
  return `data:application/json;base64,${Buffer.from(bytes).toString("base64")}`;
}

/** The same for a map that stands in an address. */
export function growInline(url: string, text: string, growths: readonly Growth[]): string {
  const at = url.indexOf(";base64,");
  if (growths.length === 0 || at === -1) return url;
  const bytes = Buffer.from(url.slice(at + ";base64,".length), "base64");
  const grown = growMap({ bytes, digest: "sha256:" }, text, growths);
  return grown.bytes === bytes ? url : dataUrl(grown.bytes);
}

/** The map of a text in which some names became longer: what follows on their lines stands further right. Unchanged if it cannot be read. */
export function growMap(map: UnitMap, text: string, growths: readonly Growth[]): UnitMap {
  if (growths.length === 0) return map;
  const onLine = new Map<number, { readonly column: number; readonly by: number }[]>();
  let line = 0;
  let lineStart = 0;
  for (const { at, by } of growths) {
    for (let next = text.indexOf("\n", lineStart); next !== -1 && next < at; next = text.indexOf("\n", lineStart)) {
      line++;
      lineStart = next + 1;
    }
    const list = onLine.get(line) ?? [];
    list.push({ column: at - lineStart, by });
    onLine.set(line, list);
  }
  try {
    const parsed = JSON.parse(Buffer.from(map.bytes).toString("utf8")) as { readonly mappings: string };
    const out: Segment[][] = [];
    const isRead = readMappings(parsed.mappings, (at, [column = 0, ...rest]) => {
      const moved = (onLine.get(at) ?? []).reduce((sum, growth) => (growth.column < column ? sum + growth.by : sum), column);
      while (out.length <= at) out.push([]);
      out[at]!.push([moved, ...rest]);
    });
    if (!isRead) return map;
    const bytes = Buffer.from(JSON.stringify({ ...parsed, mappings: writeMappings(out) }));
    return { bytes, digest: `sha256:${hash("sha256", bytes)}` };
  } catch {
    return map;
  }
}
