import {
  createAssignStatement, createReleaseStatement, createTransitionStatement,
  type AppendRequest, type Assign, type Digest, type LogEntry, type Release, type Statement, type Transition,
} from "@midflight/protocol";
import { signStatement, type SigningKey } from "@midflight/trust";
import type { OwnEntry } from "./channel-view.ts";

/** Who signs what. In development it is one key. */
export interface PublisherKeys {
  readonly builder: SigningKey;
  readonly planner: SigningKey;
  readonly controller: SigningKey;
}

/** The statements of one append, in order. Each call signs one more and answers its id. */
export interface Signer {
  readonly entries: AppendRequest["entries"];
  /** What they say. */
  readonly own: readonly OwnEntry[];
  release(release: Release): Digest;
  transition(transition: Transition): Digest;
  assign(assign: Assign): Digest;
}

export function createSigner(keys: PublisherKeys): Signer {
  const entries: AppendRequest["entries"][number][] = [];
  const own: OwnEntry[] = [];
  const sign = (kind: LogEntry["kind"], statement: Statement, key: SigningKey, ends: Partial<Pick<Transition, "from" | "to">> = {}): Digest => {
    const entry = { kind, ...signStatement(statement, key), ...ends };
    entries.push(entry);
    return entry.id;
  };
  return {
    entries,
    own,
    release(release) {
      const id = sign("release", createReleaseStatement(release), keys.builder);
      own.push({ kind: "release", id, release });
      return id;
    },
    transition(transition) {
      const { from, to } = transition;
      const id = sign("transition", createTransitionStatement(transition), keys.planner, { from, to });
      own.push({ kind: "transition", id, transition });
      return id;
    },
    assign(assign) {
      const id = sign("assign", createAssignStatement(assign), keys.controller);
      own.push({ kind: "assign", id, assign });
      return id;
    },
  };
}
