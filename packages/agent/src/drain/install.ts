import type { Socket } from "node:net";
import { givenSocketsVariable, type DrainedWord, type DrainWord, type SupervisorWord } from "@midflight/protocol";
import { readPort, takeGivenSockets } from "../environment.ts";
import { wait } from "../wait.ts";
import { Connections } from "./connections.ts";
import { drain } from "./drain.ts";
import { Endless } from "./endless.ts";
import { takeOver } from "./give-away.ts";
import { openLine } from "./line.ts";
import { Inside } from "./inside.ts";
import { hookListen, type KnownServer } from "./listen-hook.ts";
import { handleOf } from "./node-inside.ts";

/** How long the supervisor may take to let a socket go, in ms. */
const letGoWithinMs = 1000;

/**
 * Connects the process to its supervisor, before the app loads: its servers use the sockets that they are given, and it
 * can be drained. Without a supervisor nothing is installed.
 */
export function installDrain(onTrouble: (where: string, problem: unknown) => void): void {
  const given = takeGivenSockets(givenSocketsVariable);
  // A channel to anybody else is the app's own.
  const line = given === null ? null : openLine({ onWord, onTrouble });
  if (given === null || line === null) return;
  const servers = new Map<string, KnownServer>();
  const connections = new Connections();
  const endless = new Endless();
  let mayAccept = false;
  const lettingGo = new Map<string, () => void>();
  let drained: Promise<DrainedWord> | null = null;
  const inside = new Inside(connections);

  const hook = hookListen({
    given,
    port: readPort(),
    onListening: (known, isGiven) => {
      servers.set(known.socket, known);
      endless.watch(known.server);
      if (mayAccept) known.accept();
      const handle = isGiven ? undefined : handleOf(known.server);
      void line.say({ kind: "listening", socket: known.socket, isGiven }, handle);
    },
    onClosed: (known) => {
      if (servers.get(known.socket) === known) servers.delete(known.socket);
    },
    onClose: (server) => inside.close(server),
    onReopen: async (socket) => {
      const letGo = new Promise<void>((resolve) => lettingGo.set(socket, resolve));
      if (await line.say({ kind: "closed", socket })) await Promise.race([letGo, wait(letGoWithinMs)]);
    },
  });

  function onWord(word: SupervisorWord, carried: unknown): void {
    switch (word.kind) {
      case "accept":
        mayAccept = true;
        for (const known of servers.values()) known.accept();
        return;
      case "connection":
        take(word.socket, carried as Socket | undefined);
        return;
      case "serve":
        void inside.serve(servers.get(word.socket)?.server ?? null, word).then((answer) => line!.say(answer));
        return;
      case "listen": {
        const known = servers.get(word.socket);
        if (known === undefined || carried === undefined) return;
        hook.acceptAgain(known.server, carried);
        inside.leave(word.socket);
        return;
      }
      case "drain":
        void tellWhenDrained(word);
        return;
      case "let-go":
        lettingGo.get(word.socket)?.();
        lettingGo.delete(word.socket);
    }
  }

  async function tellWhenDrained(word: DrainWord): Promise<void> {
    const { hold, say } = line!;
    try {
      hold(true);
      if (word.isStaying === true) for (const socket of word.heirs) inside.stay(socket);
      drained ??= drain(word, { servers: () => [...servers.values()], hook, connections, endless, line: line!, onTrouble });
      const said = await drained;
      // One that stays may be told again.
      if (word.isStaying === true) drained = null;
      await say(said);
    } catch (problem) {
      onTrouble("drain", problem);
    } finally {
      // What is left to do is the app's own: it is asked to end.
      hold(false);
    }
  }

  function take(name: string, connection: Socket | undefined): void {
    // One that its client ended on the way comes without itself.
    if (connection === undefined) return;
    const known = servers.get(name);
    if (known === undefined) connection.destroy();
    else takeOver(connection, known.server, connections);
  }
}
