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

/**
 * A unit as it was verified. Its text is decoded when it is asked for, and only the last one is kept: bytes are no work
 * for the garbage collector, and the text is needed while the unit is staged and then hardly ever.
 */
export class VerifiedUnit implements OverlayUnit {
  static #last: { readonly of: VerifiedUnit; readonly text: string } | null = null;
  readonly birth: Digest;
  readonly ops: UnitOps;
  readonly map?: UnitMap;
  readonly #bytes: Uint8Array;

  /** @param bytes UTF-8, and known to be */
  constructor(birth: Digest, ops: UnitOps, bytes: Uint8Array, map: UnitMap | undefined) {
    this.birth = birth;
    this.ops = ops;
    this.#bytes = bytes;
    if (map !== undefined) this.map = map;
  }

  get text(): string {
    if (VerifiedUnit.#last?.of !== this) VerifiedUnit.#last = { of: this, text: utf8.decode(this.#bytes) };
    return VerifiedUnit.#last.text;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

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
