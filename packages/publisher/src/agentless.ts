import { codeFolder } from "./scope.ts";

/** Tells the service whose code a file is, if that service runs without an agent. */
export type Agentless = (path: string) => string | null;

/** @param services those without an agent. Undefined if there are none */
export function createAgentless(services: readonly { readonly name: string; readonly code: readonly string[] }[]): Agentless | undefined {
  if (services.length === 0) return undefined;
  const roots = services.flatMap(({ name, code }) => code.map((root) => [name, codeFolder(root)] as const));
  return (path) => roots.find(([, root]) => root === "" || path === root || path.startsWith(`${root}/`))?.[0] ?? null;
}
