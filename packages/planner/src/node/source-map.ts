import { readMappings, writeMappings, type Segment } from "@midflight/protocol";
import { firstIndex } from "./syntax.ts";

/** The comment by which a text names its source map (ECMA-426 §11): its last line but for white space. */
export interface MapLink {
  readonly url: string;
  /** Where the comment stands. */
  readonly start: number;
  readonly end: number;
}

const marker = "//# sourceMappingURL=";
const inlineHead = /^data:application\/json(?:;charset=[^;,]+)?;base64,/i;

export function mapLink(source: string): MapLink | null {
  const start = source.lastIndexOf(marker);
  if (start === -1) return null;
  const [, url, rest] = /^(\S*)([\s\S]*)$/.exec(source.slice(start + marker.length))!;
  return url === "" || /\S/.test(rest!) ? null : { url: url!, start, end: start + marker.length + url!.length };
}

/** True if the map itself stands in the comment. */
export function isInline({ url }: MapLink): boolean {
  return inlineHead.test(url);
}

/** The file that a link names; null if the map stands in the comment, or somewhere else altogether. */
export function mapFileOf({ url }: MapLink): string | null {
  return /^[a-z][a-z\d+.-]+:/i.test(url) ? null : url.split(/[?#]/)[0]!;
}

/** Positions of a text and of what was made of it. */
export interface Moved {
  readonly source: string;
  readonly artifact: string;
  readonly map: (position: number) => number;
}

/** The artifact with its inline map, if it has one, brought up to it. */
export function moveInline(moved: Moved, link: MapLink): string {
  const { source, artifact } = moved;
  if (!isInline(link)) return artifact;
  const json = decode(link.url.slice(link.url.indexOf(",") + 1));
  const made = json === null ? null : moveMap(json, moved);
  const at = artifact.lastIndexOf(marker);
  if (made === null || at === -1) return artifact;
  return `${artifact.slice(0, at)}${marker}data:application/json;base64,${encode(made)}${source.slice(link.end)}`;
}

/**
 * Makes the map of a source that of its artifact: all that instrumenting moved is found where it is now.
 * Null for what is not a flat source map of version 3.
 */
export function moveMap(json: string, moved: Moved): string | null {
  let map: { version?: unknown; mappings?: unknown };
  try {
    map = JSON.parse(json) as typeof map;
  } catch {
    return null;
  }
  if (typeof map !== "object" || map === null || map.version !== 3 || typeof map.mappings !== "string") return null;
  const mappings = moveMappings(map.mappings, moved);
  return mappings === null ? null : JSON.stringify({ ...map, mappings });
}

function moveMappings(mappings: string, { source, artifact, map }: Moved): string | null {
  const from = lineStarts(source);
  const to = lineStarts(artifact);
  const out: Segment[][] = to.map(() => []);
  const isRead = readMappings(mappings, (line, segment) => {
    const start = from[line];
    if (start === undefined) return;
    const at = map(Math.min(start + segment[0]!, source.length));
    const onLine = to[line]! <= at && (to[line + 1] ?? Infinity) > at ? line : firstIndex(to, (next) => next > at) - 1;
    out[onLine]?.push([at - to[onLine]!, ...segment.slice(1)]);
  });
  return isRead ? writeMappings(out) : null;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function decode(base64: string): string | null {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
  } catch {
    return null;
  }
}

function encode(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
