export const allModules = 500;

/** How many modules are saved, and how that is asked for. */
export interface Case {
  readonly name: "one" | "all";
  readonly count: number;
  readonly question: string;
}

export const cases: readonly Case[] = [
  { name: "one", count: 1, question: "/one" },
  { name: "all", count: allModules, question: "/all" },
];
