/** The cart that is filled before the first edit and must never change: what it holds, and how often something was put in. */
export const keptCart = { id: "tour", pieces: 3, additions: 2 } as const;

/** What customers buy. Stock of anything else changes by deliveries alone. */
export const boughtSku = "assam";

export interface LoadOptions {
  /** Where the processes answer. */
  readonly targets: readonly string[];
  /** At each of them. */
  readonly ratePerSecond: number;
}

/** What one process has answered since the load began. */
export interface TargetFigures {
  readonly target: string;
  readonly answered: number;
  readonly failed: number;
  /** Orders that were confirmed to a customer, each id once. */
  readonly orders: number;
  readonly firstFailure: string | null;
  /** A stream of stock changes that was opened before the first edit. */
  readonly stream: {
    readonly events: number;
    /** Of those: what the shop's own timer brought. */
    readonly deliveries: number;
    readonly missing: number;
    readonly brokenBecause: string | null;
  };
}

export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export type LoadTold =
  | { readonly kind: "figures"; readonly figures: readonly TargetFigures[] }
  | { readonly kind: "end"; readonly figures: readonly TargetFigures[]; readonly latencies: readonly Latencies[]; readonly voidBecause: string | null };

export type LoadEnd = Extract<LoadTold, { kind: "end" }>;
