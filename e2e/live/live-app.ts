import type { AppProcess, LoadResponse, RequestSpec, System, SystemOptions } from "@midflight/testkit";

export interface Edition {
  /** What its answers say they are. */
  readonly name: string;
  /** Writes it over whatever edition the project holds. */
  readonly write: (projectDir: string) => Promise<void>;
}

/** An application with a history of edits and a memory that must survive them. */
export interface LiveApp {
  readonly system: SystemOptions;
  /** The first is what the project starts as; the others follow again and again. */
  readonly editions: readonly Edition[];
  /** An edit that cannot go live in place: it must be refused, without any effect. */
  readonly refused: Edition;
  /** Files that the system does not copy, links, a first build. */
  prepare(projectDir: string): Promise<void>;
  /** Arguments and environment that one process needs beside the system's. */
  startOptions(system: System, target: string): Promise<{ readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> }>;
  /** The customers of a process that has just started. */
  visit(app: AppProcess): Promise<Customers>;
  /** The edition that a process serves. */
  editionOf(app: AppProcess): Promise<string>;
}

export interface Customers {
  plan(i: number): RequestSpec;
  /** @param allowed the editions that may have answered */
  validate(response: LoadResponse, i: number, spec: RequestSpec, allowed: ReadonlySet<string>): string | null;
  /** Looks back after the last request: each fault is a sentence. */
  leave(): Promise<{ readonly faults: readonly string[]; readonly figures: Readonly<Record<string, number>> }>;
}
