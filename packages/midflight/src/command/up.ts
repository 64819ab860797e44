import type { RunCommand } from "../cli/program.ts";
export function up(_options: Readonly<Record<string, unknown>>): RunCommand { return async () => null; }
