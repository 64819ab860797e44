// Written by scripts/write-error-pages.mjs from docs/errors.md; change that file, then run the script.
import type { ErrorCode } from "@midflight/protocol";

/** What is true of every error of a code, in the words of docs/errors.md. */
export interface ErrorPage {
  readonly what: string;
  readonly why: string;
  readonly state: string;
  readonly fix: string;
}

export const errorPages: Readonly<Record<ErrorCode, ErrorPage>> = {
  AGENT_NOT_CONFIGURED: {
    what: "A process was started with the agent, but without what the agent needs to know.",
    why: "One of the `MIDFLIGHT_…` variables is there and another that belongs to it is missing or unreadable.",
    state: "The process runs the code on its disk, as if no agent were there.",
    fix: "Start it by `midflight up`, which sets them all, or set the variable that the message names.",
  },
  ARTIFACT_DIGEST_MISMATCH: {
    what: "Bytes that were received or read are not the bytes that were signed.",
    why: "A pack or a file was damaged on its way or on disk, or somebody changed it.",
    state: "Nothing of it was run. What served before serves on.",
    fix: "Deploy again, which sends what is missing. If it comes back, check the disk that holds `.midflight`.",
  },
  ASSIGN_EXPIRED: {
    what: "A process was told to run a release by an assign whose time is over.",
    why: "It heard of the assign only after `expiresAt`, or its clock is ahead.",
    state: "The process keeps the release it had.",
    fix: "Deploy again. Compare the clocks of both machines if it happens at once.",
  },
  ASSIGN_REPLAYED: {
    what: "A process was shown an assign that is not newer than one it already obeyed.",
    why: "An old log was put back, or somebody repeated an old message.",
    state: "The process keeps the release it had; an old assign is never obeyed twice.",
    fix: "If you restored the registry from a backup, deploy again: the new assign counts on from the newest one.",
  },
  BOOT_FAILED_TWICE: {
    what: "A process ended twice before it was ready, on the same release.",
    why: "The code of the release throws while it starts, or its health URL never answered. The last lines of its log are shown.",
    state: "The release was taken back, and the process was started from the one before.",
    fix: "Read the log lines, correct the code, deploy again.",
  },
  BUILD_UNRESOLVED_IMPORT: {
    what: "A file imports a file that is not there.",
    why: "The build is not finished, or the path in the import is wrong.",
    state: "Nothing was published. What served before serves on.",
    fix: "Correct the import at the place named, or wait for the build; then deploy again.",
  },
  BUILD_UNSETTLED: {
    what: "Files kept changing while they were read.",
    why: "A build is still writing, or a file in the code directory never rests (a log, a database).",
    state: "Nothing was published. What served before serves on.",
    fix: "Let the build end, then deploy. Let it write a marker file last and name that in `publish.marker`. Keep files that are no code out of the code directory.",
  },
  CHANNEL_GAP: {
    what: "A reader of the log asked for entries that are no longer kept.",
    why: "It was away for longer than the registry keeps the log, or the registry was created anew.",
    state: "Nothing is lost that counts: a reader starts from the oldest entry kept, and the newest assign decides.",
    fix: "Nothing. If a process stays behind for good, start it again.",
  },
  CHANNEL_HEAD_MOVED: {
    what: "Somebody else deployed at the same time, and was first.",
    why: "The channel's newest assign is not the one that this deploy was planned on.",
    state: "Nothing of yours was published. The other release is live.",
    fix: "Look at `midflight status`, then deploy again; the plan is made anew.",
  },
  CHANNEL_MISMATCH: {
    what: "A signed object speaks of another app or another channel.",
    why: "A process or a command is connected to the registry of another project, or somebody moved a signed object.",
    state: "It was not obeyed. What served before serves on.",
    fix: "Compare `app` and `channel` in `midflight config --explain` with what the message names.",
  },
  CODE_DIRECTORY_MISSING: {
    what: "A directory that the configuration names as code is not there.",
    why: "It was not built yet, or the path in `code` is wrong. Paths count from the directory of the configuration file.",
    state: "Nothing was published. What served before serves on.",
    fix: "Build first, or correct `code` in the configuration.",
  },
  COMMAND_INTERRUPTED: {
    what: "You left the command before it ended.",
    why: "It was interrupted by Ctrl-C or by a signal.",
    state: "What was published goes on by itself; what was not yet published did not happen. The message says which.",
    fix: "`midflight status` shows how it goes, `midflight rollback` takes it back.",
  },
  CONFIG_INVALID: {
    what: "The configuration says something that is not known or not possible.",
    why: "A key is misspelt, a value has the wrong type, or two values contradict each other. The message names the key.",
    state: "Nothing was done.",
    fix: "Correct the key. `midflight config --explain` shows every value and where it comes from.",
  },
  CONFIG_NOT_FOUND: {
    what: "There is no configuration here, nor in any directory above.",
    why: "The command was run outside the project, or the project was not prepared yet.",
    state: "Nothing was done.",
    fix: "Run `midflight init` in the project's directory, or point to it by `--directory`.",
  },
  CONFIRMATION_MISSING: {
    what: "A question had to be answered, and nobody was there to answer it.",
    why: "The command changes what users see, and runs without a terminal or with `--no-input`.",
    state: "Nothing was done.",
    fix: "Give the answer with the command, by the flag that the message names.",
  },
  CONTROL_ALREADY_RUNNING: {
    what: "`midflight up` runs already for this project.",
    why: "One control holds a project's registry and its processes; a second would start everything twice.",
    state: "The first one goes on, untouched.",
    fix: "Use it: `midflight status`, `midflight deploy`. Or end it (Ctrl-C where it runs), then start again.",
  },
  CONTROL_NOT_RUNNING: {
    what: "Nothing runs for this project that could answer.",
    why: "`midflight up` was not started here, or it ended.",
    state: "Nothing was done.",
    fix: "Run `midflight up` in another terminal, then the command again.",
  },
  DEPENDENCIES_CHANGED: {
    what: "The lock file changed, so the packages that the code stands on are others.",
    why: "Packages are loaded once per process and cannot be swapped in a running one.",
    state: "Nothing was changed. The former release serves.",
    fix: "Allow new processes: `midflight deploy --max-rung replace`.",
  },
  DISK_FULL: {
    what: "The disk has no room for what had to be written.",
    why: "The registry keeps releases, and each release has a directory under `.midflight`.",
    state: "Nothing was half written. What served before serves on.",
    fix: "Make room, then run the command again.",
  },
  ENTRY_MISSING: {
    what: "The file that a service starts with is not in the tree.",
    why: "It was deleted or renamed, or `run` names another file than the build writes.",
    state: "Nothing was published. What served before serves on.",
    fix: "Bring the file back, or correct `run` in the configuration.",
  },
  ENVELOPE_MALFORMED: {
    what: "A signed object is not in the form that signed objects have.",
    why: "It was damaged, or written by something else.",
    state: "It was not read any further. What served before serves on.",
    fix: "Deploy again. If it comes back, look at what writes to the registry.",
  },
  EVAL_DISALLOWED: {
    what: "A process does not let code be made from text, so it cannot be changed while it runs.",
    why: "It was started with `--disallow-code-generation-from-strings`.",
    state: "It keeps the code it has.",
    fix: "Start it without that flag, or deploy with `--max-rung replace`.",
  },
  FILE_UNREADABLE: {
    what: "A file could not be read or written.",
    why: "The system said no; the message has its reason (rights, a broken link, a broken disk).",
    state: "Nothing was published. What served before serves on.",
    fix: "Correct the rights of the file named, then run the command again.",
  },
  FLEET_MIXED: {
    what: "Not all processes run the same release.",
    why: "Some did not confirm the new one in time, or could not go back. The message names each with its reason.",
    state: "Mixed: the message says how many run what. Each of them serves.",
    fix: "`midflight status` shows each process; then deploy again, or `midflight rollback`.",
  },
  INTERNAL: {
    what: "Something happened that midflight did not expect; it is a bug.",
    why: "The message has what is known of it.",
    state: "Running processes are not touched by a command that fails.",
    fix: "Run it again with `MIDFLIGHT_DEBUG=1` and report what it prints.",
  },
  KEY_MISSING: {
    what: "There is no key to sign with.",
    why: "The key file is not there, or the variable that should hold it is empty.",
    state: "Nothing was published. What served before serves on.",
    fix: "`midflight init` makes a development key; or set `signing.key` to where yours is.",
  },
  KEY_ROLE_MISSING: {
    what: "A signature is good, but its key may not sign this kind of object.",
    why: "The trust root gives the key other roles.",
    state: "No process obeyed it. What served before serves on.",
    fix: "Sign with a key that has the role, or give the key the role in the trust root.",
  },
  KEY_UNKNOWN: {
    what: "Something was signed by a key that is not trusted here.",
    why: "The key is not in the trust root, `.midflight/root.json`.",
    state: "No process obeyed it. What served before serves on.",
    fix: "Deploy with a key that the root names. Was `.midflight/keys` copied from elsewhere? Then copy `root.json` with it.",
  },
  OBJECT_INVALID: {
    what: "A value does not have the form that its place needs.",
    why: "It was written by a newer version, or by something else; the message names the field.",
    state: "It was not used. What served before serves on.",
    fix: "Bring both sides to the same version of midflight.",
  },
  OBJECT_TOO_LARGE: {
    what: "Something is larger than the limit for its kind.",
    why: "A file, a pack or a request is over the limit that the message names.",
    state: "It was not stored and not read any further. What served before serves on.",
    fix: "Keep large data files out of `code` and `assets`.",
  },
  OVERLAY_FAILED: {
    what: "A process could not put new code in place.",
    why: "Preparing or storing it threw; the message has the unit and the reason.",
    state: "All of it was undone in that process; it runs the release it had.",
    fix: "Read the reason. `midflight deploy --max-rung replace` brings the release live by new processes.",
  },
  PACK_MALFORMED: {
    what: "A pack of files ends in the middle, or is no pack.",
    why: "The connection broke, or the disk is damaged.",
    state: "Nothing of it was used. What served before serves on.",
    fix: "Deploy again; only what is missing is sent.",
  },
  PLAN_STALE: {
    what: "The saved plan does not hold any more.",
    why: "The code, the live release or the running processes changed after it was made.",
    state: "Nothing was done.",
    fix: "Make it again: `midflight plan -o FILE`, then deploy that file.",
  },
  PORT_IN_USE: {
    what: "A port that is needed is taken.",
    why: "Another program listens there; often an older copy of the same one.",
    state: "What already served goes on.",
    fix: "End the other program, or choose another port in the configuration.",
  },
  PROCESS_EXITED: {
    what: "A process ended, and was not told to.",
    why: "Its code threw or ended by itself, or something killed it. The last lines of its log are shown.",
    state: "It is started again, after a pause that grows each time it ends.",
    fix: "Read the log lines; correct the code and deploy, which starts it at once.",
  },
  PROCESS_UNREGISTERED: {
    what: "A process runs code that is no known release.",
    why: "It was started from a directory that midflight did not make, or files of it were changed by hand.",
    state: "It runs what is on its disk, and is never changed.",
    fix: "Start it by `midflight up`, from a release.",
  },
  PUBLISHER_ALREADY_RUNNING: {
    what: "Something else watches the same code and deploys it.",
    why: "`midflight up --watch` runs already for this channel.",
    state: "The first one goes on; nothing was done here.",
    fix: "Use the first one, or end it.",
  },
  REGISTRY_REFUSED: {
    what: "The registry did not accept a request.",
    why: "The message has its answer.",
    state: "Nothing was changed. What served before serves on.",
    fix: "Bring both sides to the same version of midflight, then run the command again.",
  },
  REGISTRY_STORE_DAMAGED: {
    what: "The registry's file cannot be read.",
    why: "The disk is damaged, or something else wrote into `.midflight/registry.db`.",
    state: "Running processes go on with the code they have.",
    fix: "Put the file back from a backup; or move it away and run `midflight up`, which begins a new log with release 1.",
  },
  REGISTRY_UNREACHABLE: {
    what: "The registry did not answer.",
    why: "`midflight up` ended, or the network is broken.",
    state: "Running processes go on with the code they have, and catch up when it is back.",
    fix: "`midflight up` starts it; then run the command again.",
  },
  RELEASE_UNKNOWN: {
    what: "There is no release of that name here.",
    why: "The number is wrong, or the release is no longer kept.",
    state: "Nothing was done.",
    fix: "`midflight releases` lists them.",
  },
  REPLACE_NEEDED: {
    what: "A change cannot be brought into a running process without breaking a promise.",
    why: "The message names the file and the reason, for example a field added to a class whose instances exist.",
    state: "Nothing was changed. The former release serves.",
    fix: "Allow new processes: `midflight deploy --max-rung replace`. Open connections are closed by that. Or change the code in a gentler way.",
  },
  ROLLBACK_NOTHING: {
    what: "There is no release to go back to.",
    why: "The live release is the first one, or the ones before are no longer kept.",
    state: "Nothing was done. The live release serves.",
    fix: "Correct the code and deploy.",
  },
  RUNG_TOO_HIGH: {
    what: "A change needs a stronger way than you allowed.",
    why: "`--max-rung`, or `rollout.maxRung` in the configuration, sets the limit; the message names the file that goes over it.",
    state: "Nothing was changed. The former release serves.",
    fix: "Raise the limit with `--max-rung`, or change the code in a gentler way.",
  },
  SIGNATURE_INVALID: {
    what: "A signature does not belong to what it stands on.",
    why: "The object was changed after it was signed.",
    state: "No process obeyed it. What served before serves on.",
    fix: "Deploy again. If it comes back, somebody changes what is in the registry: find out who may write there.",
  },
  SWAP_REVERTED: {
    what: "A new release was live and was taken back.",
    why: "Errors followed within the probation time; the message has the first of them.",
    state: "The former release serves.",
    fix: "Read the reason, correct the code, deploy again.",
  },
  SWAP_TIMED_OUT: {
    what: "Waiting ended before all processes confirmed the release.",
    why: "`--timeout` was shorter than what they needed.",
    state: "The release is published and goes on; the message says how many run it by now.",
    fix: "`midflight status --watch` shows the rest; `midflight rollback` takes it back.",
  },
  TOKEN_REFUSED: {
    what: "The registry did not accept the token, or the token may not do this.",
    why: "`.midflight/tokens.json` is another one than `midflight up` was started with, or a reader tried to write.",
    state: "Nothing was changed.",
    fix: "Start `midflight up` again, and run the command in the same project directory.",
  },
  TRANSITION_MISSING: {
    what: "A process was told to run a release, and the way there from the release it started with is not known.",
    why: "It started from a release that was not running when the new one was planned.",
    state: "The process keeps the release it has, until the way is published.",
    fix: "Nothing: `midflight up` plans it when it sees the process. If it does not run, start it.",
  },
  UNIT_MINIFIED: {
    what: "A file is minified or bundled into very long lines, so it cannot be changed while it runs.",
    why: "Declarations cannot be told apart reliably, and no reason could be given that a person can check.",
    state: "It runs as it is. A change of it needs a new process.",
    fix: "Point `code` to the build before minifying; on a server it gains nothing.",
  },
  UNIT_SYNTAX: {
    what: "A file has a syntax error.",
    why: "The message has the place: file, line and column.",
    state: "Nothing was published. What served before serves on.",
    fix: "Correct it, then deploy again.",
  },
  USAGE: {
    what: "The command line is not understood.",
    why: "A command, an option or a value is misspelt or missing.",
    state: "Nothing was done.",
    fix: "`midflight --help`, or `midflight COMMAND --help`.",
  },
};
