import type { Digest, ReleaseId, UnitOps } from "@midflight/protocol";

/** A verified source map, as JSON. */
export interface UnitMap {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** One unit's part of an overlay: verified ops and the verified text their ranges point into. */
export interface OverlayUnit {
  /** Source digest of the text that an instance must have been loaded from. */
  readonly birth: Digest;
  readonly ops: UnitOps;
  /** Decoded artifact `ops.artifact`. */
  readonly text: string;
  /** The text's source map; only where Node follows source maps. */
  readonly map?: UnitMap;
}

/** A unit that the boot release does not have, as it is written beside the others and loaded. */
export interface AddedUnit {
  readonly unit: string;
  readonly format: "esm" | "cjs";
  /** Of the artifact. */
  readonly digest: Digest;
  readonly text: string;
  readonly map?: UnitMap;
}

/** Everything that distinguishes a release from the boot shape. No units: the boot shape itself. */
export interface Overlay {
  readonly release: ReleaseId;
  readonly units: readonly OverlayUnit[];
  readonly added: readonly AddedUnit[];
}
