import type { Digest, StatementKind } from "@midflight/protocol";

/** An entry of a channel's log as its row has it, see schema.ts. */
export interface EntryRow {
  readonly n: number;
  readonly channel: string;
  readonly seq: number;
  /** Place of the first entry that was appended together with this one. */
  readonly batch: number;
  readonly kind: StatementKind;
  readonly id: Digest;
  readonly from_id: Digest | null;
  readonly to_id: Digest | null;
  readonly at: string;
  readonly previous: Uint8Array;
  readonly link: Uint8Array;
  readonly envelope: string;
}
