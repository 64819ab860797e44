import { isNode, parseCommand } from "./command.ts";
import type { HeldProcess, Holder } from "./holder/connect-holder.ts";
import type { Service } from "./service.ts";

/**
 * Why a process cannot be replaced by one that starts beside it and takes its sockets over; null if it can. Said before
 * anything is touched, so it is asked of what is known, not tried.
 */
export function whyRestart(service: Service, held: HeldProcess | null, holder: Pick<Holder, "sockets">, target: string): string | null {
  if (service.replace === "restart") return 'its service says so (replace: "restart")';
  if (held === null) return "it was started by a holder of sockets that is gone";
  if (!service.agent) return service.listen.length > 0 ? null : "it opens its port itself (no listen), and has no agent";
  if (!isNode(parseCommand(service.run))) return `its command is not node itself, so sockets do not get through (${service.run})`;
  const known = [...service.listen, ...holder.sockets(target)];
  if ([...held.listening].some((socket) => known.includes(socket))) return null;
  return "no listening socket of its main thread is known: it listens in a cluster, a worker thread or a child process, or nowhere";
}
