import type { Connection } from "@midflight/control";
import type { Context } from "../cli/context.ts";

/** Runs work against the running control, and lets go of it in any case. */
export async function connected<T>(context: Context, role: "publisher" | "reader", work: (connection: Connection) => Promise<T>): Promise<T> {
  // The configuration first: its mistakes are told without loading the rest.
  const config = await context.loadConfig();
  const { connectControl } = await import("@midflight/control");
  const connection = await connectControl(config, role);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
