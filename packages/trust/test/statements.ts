import {
  createAssignStatement, createReleaseStatement, createTransitionStatement,
  type Assign, type Digest, type Release, type Statement, type Transition,
} from "@midflight/protocol";

export function digestOf(digit: string): Digest {
  return `sha256:${digit.repeat(64)}`;
}

export function releaseOf(over: Partial<Release> = {}): Release {
  return {
    app: "shop", number: 3, tree: digestOf("a"), instrumentation: 1, lock: digestOf("b"), units: 2,
    provenance: { vcs: null, ci: null, meta: { ticket: "77" }, builder: "ada@desk", builtAt: "2026-01-02T03:04:05.000Z" },
    ...over,
  };
}

export function transitionOf(over: Partial<Transition> = {}): Transition {
  return {
    from: digestOf("1"), to: digestOf("2"), instrumentation: 1, rung: "patch",
    verdicts: [{ unit: "price.js", rung: "patch", reason: "lineTax(): only the body changed", evidence: ["price.js:3"], rejected: [] }],
    units: [{ unit: "price.js", birth: digestOf("c"), ops: digestOf("d"), artifact: digestOf("e") }],
    added: [],
    ...over,
  };
}

export function assignOf(over: Partial<Assign> = {}): Assign {
  return {
    channel: "shop/development", epoch: 1, counter: 7, release: digestOf("2"), number: 3, targets: { kind: "all" },
    revertTo: [digestOf("1")], cause: "deploy", by: "ada@desk", why: null, issuedAt: "2026-01-02T03:04:06.000Z", expiresAt: null,
    ...over,
  };
}

export const statements: Readonly<Record<"release" | "transition" | "assign", Statement>> = {
  release: createReleaseStatement(releaseOf()),
  transition: createTransitionStatement(transitionOf()),
  assign: createAssignStatement(assignOf()),
};
