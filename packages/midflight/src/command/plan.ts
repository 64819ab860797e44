import type { RunCommand } from "../cli/program.ts";
export function plan(_options: Readonly<Record<string, unknown>>): RunCommand { return async () => null; }
