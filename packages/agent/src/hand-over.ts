import { installDrain } from "./drain/install.ts";
import { tellProcess, tellTrouble } from "./signal.ts";

// `node --import @midflight/agent/hand-over program.js`: a program of our own, of no release, whose sockets and connections are
// taken over and handed on as an app's are.
installDrain((where, problem) => tellTrouble(tellProcess, where, problem));
