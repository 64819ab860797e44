/** A figure that must be reached. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly op: "<=" | ">=" | "==";
  readonly limit: number;
  readonly ok: boolean;
}

/** What a bench found: plain JSON, numbers with their unit in the name. */
export type Figures = Readonly<Record<string, unknown>>;

export interface Findings {
  readonly figures: Figures;
  /** The same, of others, measured in the same run. */
  readonly rivals: Figures;
  /** How many times as much a rival takes as we do, or what it is told to be. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly bars: readonly Bar[];
  /** Why this run shows nothing, whatever its figures are; null if it does. */
  readonly voidBecause: string | null;
}

export interface BenchOptions {
  /** Major versions of Node to run on, for benches that run on several. Null: those that the bench names. */
  readonly nodes: readonly number[] | null;
  /** Few rounds, to see that the bench itself works. What it finds says little, and is written nowhere. */
  readonly isQuick: boolean;
  /** The clone whose commits a bench goes through. Null: none was named. */
  readonly repository: string | null;
  /** How many of them, at most. Null: what the bench takes by itself. */
  readonly limit: number | null;
  /** A line for people. */
  readonly say: (line: string) => void;
}

export interface Bench {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** It goes through the commits of a clone that has to be named; what it finds is kept per clone. */
  readonly needsRepository?: boolean;
  run(options: BenchOptions): Promise<Findings>;
}

/** Judges a figure. NaN never passes. */
export function bar(name: string, value: number, op: Bar["op"], limit: number): Bar {
  const ok = op === "<=" ? value <= limit : op === ">=" ? value >= limit : value === limit;
  return { name, value, op, limit, ok };
}
