import { isUtf8 } from "node:buffer";
import { MidflightError, parseUnitOps, type Blob, type Digest, type Envelope, type Release, type ReleaseId, type Transition, type UnitOps } from "@midflight/protocol";
import { sha256, verifyRelease, verifyTransition, type TrustRoot } from "@midflight/trust";
import type { BootRelease } from "./boot.ts";
import type { Pace } from "./pace.ts";
import { VerifiedUnit, type AddedUnit, type Overlay, type OverlayUnit } from "./runtime/overlay.ts";

/** No unit of code is larger than this, in bytes. */
export const maxBlobBytes: number = 32 << 20;

/** The release that a way leads to is signed by a builder, of this app, and instrumented like the code that runs. @throws MidflightError */
export function verifyTarget(envelope: Envelope, to: ReleaseId | null, root: TrustRoot, boot: BootRelease): { readonly id: ReleaseId; readonly release: Release } {
  const { id, release } = verifyRelease(envelope, root);
  if (to !== null && id !== to) throw new MidflightError("ARTIFACT_DIGEST_MISMATCH", "The registry gave another release than the one that was assigned.");
  if (release.instrumentation !== boot.release.instrumentation) {
    throw new MidflightError("REPLACE_NEEDED", "The release is instrumented by another version than the process that runs.");
  }
  return { id, release };
}

/** The transition is signed by a planner, begins at the boot release, and ends at `to`. @throws MidflightError */
export function verifyWay(envelope: Envelope, to: ReleaseId, root: TrustRoot, boot: BootRelease): Transition {
  const { transition } = verifyTransition(envelope, root);
  if (transition.from !== boot.id || transition.to !== to) {
    throw new MidflightError("OBJECT_INVALID", "The transition is between other releases than the log says.");
  }
  if (transition.instrumentation !== boot.release.instrumentation) {
    throw new MidflightError("REPLACE_NEEDED", "The transition is for another version of the instrumentation than the process runs.");
  }
  return transition;
}

/** @throws MidflightError `OBJECT_TOO_LARGE`, `ARTIFACT_DIGEST_MISMATCH` */
export function verifyBlob({ digest, bytes }: Blob): void {
  if (bytes.length > maxBlobBytes) throw new MidflightError("OBJECT_TOO_LARGE", `A file of ${bytes.length} bytes is over the limit of ${maxBlobBytes}.`);
  if (sha256(bytes) !== digest) throw new MidflightError("ARTIFACT_DIGEST_MISMATCH", { what: "The registry gave other bytes than those that were signed.", details: { digest } });
}

/** The text that a transition says each unit has. @throws MidflightError `OBJECT_INVALID` for a unit that is named twice */
export function artifactsOf(transition: Transition): ReadonlyMap<string, Digest> {
  const artifacts = new Map<string, Digest>();
  for (const { unit, artifact } of [...transition.units, ...transition.added]) {
    if (artifacts.has(unit)) throw new MidflightError("OBJECT_INVALID", `The transition names ${unit} twice.`);
    artifacts.set(unit, artifact);
  }
  return artifacts;
}

/** Every blob that a transition names, each once. */
export function blobsOf(transition: Transition): readonly Digest[] {
  const digests = new Set<Digest>();
  for (const { ops, artifact } of transition.units) digests.add(ops).add(artifact);
  for (const { artifact } of transition.added) digests.add(artifact);
  return [...digests];
}

/** The source maps that a transition names. */
export function mapsOf(transition: Transition): readonly Digest[] {
  const digests = new Set<Digest>();
  for (const { map } of [...transition.units, ...transition.added]) if (map !== undefined) digests.add(map);
  return [...digests];
}

/** Parses what has been verified. @throws MidflightError `OBJECT_INVALID` */
export async function assembleOverlay(transition: Transition, blobs: ReadonlyMap<Digest, Uint8Array>, pace: Pace): Promise<Overlay> {
  const units: OverlayUnit[] = [];
  const mapOf = (digest: Digest | undefined): OverlayUnit["map"] => {
    const bytes = digest === undefined ? undefined : blobs.get(digest);
    return digest === undefined || bytes === undefined ? undefined : { digest, bytes };
  };
  for (const { unit, birth, ops, artifact, map } of transition.units) {
    pace.resume();
    const parsed = readOps(blobs.get(ops)!);
    if (parsed.unit !== unit || parsed.artifact !== artifact) throw new MidflightError("OBJECT_INVALID", `The operations for ${unit} are of another unit.`);
    const bytes = blobs.get(artifact)!;
    if (!isUtf8(bytes)) throw notUtf8();
    units.push(new VerifiedUnit(birth, parsed, bytes, mapOf(map)));
    await pace.breathe();
  }
  const added: AddedUnit[] = transition.added.map(({ unit, format, artifact, map: digest }) => {
    const map = mapOf(digest);
    return { unit, format, digest: artifact, text: readText(blobs.get(artifact)!), ...(map !== undefined && { map }) };
  });
  return { release: transition.to, units, added };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function notUtf8(cause?: unknown): MidflightError {
  return new MidflightError("OBJECT_INVALID", "A unit's text is not UTF-8.", { cause });
}

function readText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw notUtf8(cause);
  }
}

function readOps(bytes: Uint8Array): UnitOps {
  let value: unknown;
  try {
    value = JSON.parse(readText(bytes));
  } catch (cause) {
    throw new MidflightError("OBJECT_INVALID", "A unit's operations are not JSON.", { cause });
  }
  return parseUnitOps(value);
}
