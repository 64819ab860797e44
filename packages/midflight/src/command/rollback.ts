import type { RunCommand } from "../cli/program.ts";
export function rollback(_what: string | undefined, _options: Readonly<Record<string, unknown>>): RunCommand { return async () => null; }
