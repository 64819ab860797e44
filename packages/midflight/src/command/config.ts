import path from "node:path";
import type { ResolvedConfig } from "@midflight/control";
import type { RunCommand } from "../cli/context.ts";
import { findConfig } from "../config/find-config.ts";
import { renderTable } from "../output/table.ts";
import { toPlainLine } from "../output/text.ts";

/** `midflight config`, `midflight config --explain` */
export function config(options: Readonly<Record<string, unknown>>): RunCommand {
  return async (context) => {
    const { screen } = context;
    const resolved = await context.loadConfig();
    const origins = [...resolved.origins];
    const file = path.basename(findConfig(resolved.projectDir)?.path ?? "");
    const isExplained = options["explain"] === true;
    const rows = origins.map(([key, { value, from }]) => [key, toPlainLine(value), ...(isExplained ? [from === file ? "config" : from] : [])]);
    const columns = [{ title: "KEY" }, { title: "VALUE" }, ...(isExplained ? [{ title: "FROM" }] : [])];
    return {
      data: {
        config: toPlainConfig(resolved),
        ...(isExplained ? { origins: Object.fromEntries(origins.map(([key, { from }]) => [key, from])) } : {}),
      },
      lines: [screen.out.paint("strong", resolved.channelName), `${resolved.projectDir}${path.sep}${file}`, ...renderTable(columns, rows, screen.out.width)],
    };
  };
}

/** Values of `env` may be secrets: only their names are told. */
function toPlainConfig({ origins: _, services, ...rest }: ResolvedConfig): Readonly<Record<string, unknown>> {
  return { ...rest, services: services.map(({ env, ...service }) => ({ ...service, env: Object.keys(env) })) };
}
