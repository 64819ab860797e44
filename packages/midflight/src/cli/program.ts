import { Command, InvalidArgumentError, Option } from "commander";
import { rungs } from "@midflight/protocol";
import type { Screen } from "../output/screen.ts";
import type { GlobalOptions, RunCommand } from "./context.ts";
import { shells } from "./shells.ts";
import { version } from "./version.ts";

export type Runner = (options: GlobalOptions, command: RunCommand) => Promise<void>;

/** The command line: names, options and help. Each command lives in its own file and is loaded when it is called. */
export function createProgram(screen: Screen, run: Runner): Command {
  const program = new Command("midflight");
  program
    .description("Change a running system without stopping it.")
    .version(version, "-V, --version", "print the version")
    .option("-C, --directory <dir>", "run as if started there")
    .option("--config <file>", "use this configuration file")
    .option("--json", "print one JSON object")
    .option("--color", "colours also where there is no terminal")
    .option("--no-color", "no colours")
    .option("--no-input", "never ask; refuse where an answer is needed")
    .option("-q, --quiet", "no progress and no hints")
    .configureHelp({ helpWidth: Math.min(80, screen.out.width), showGlobalOptions: false })
    .configureOutput({ writeOut: (text) => screen.out.raw(text), writeErr: () => {}, outputError: () => {} })
    .exitOverride()
    .helpCommand(false);
  const wire = (command: Command, load: (args: readonly string[], options: Readonly<Record<string, unknown>>) => Promise<RunCommand>): Command =>
    command.action(async () => {
      const args = command.processedArgs.filter((arg): arg is string => typeof arg === "string");
      const options = command.optsWithGlobals<GlobalOptions & Record<string, unknown>>();
      await run(options, await load(args, options));
    });
  addDaily(program, wire);
  addSteering(program, wire);
  addLooking(program, wire);
  addHelping(program, wire);
  return program;
}

type Wire = (command: Command, load: (args: readonly string[], options: Readonly<Record<string, unknown>>) => Promise<RunCommand>) => Command;

function addDaily(program: Command, wire: Wire): void {
  wire(
    program.command("init").description("prepare a project: configuration, key, .gitignore").option("-y, --yes", "take what was found, ask nothing")
      .option("--run <command>", "the command that starts the app").option("--code <dir>", "the directory of its code")
      .option("--systemd", "write unit files for systemd, too, to the directory systemd"),
    async (_, options) => (await import("../command/init.ts")).init(options),
  );
  wire(
    program.command("up").description("start the services and keep them on the live release")
      .option("-w, --watch", "deploy when code changes")
      .option("--logs", "print what the services print"),
    async (_, options) => (await import("../command/up.ts")).up(options),
  );
  wire(
    program.command("plan").description("say what a deploy would do, and why")
      .option("-o, --output <file>", "save the plan, for: midflight deploy FILE")
      .option("--exit-code", "exit 10 if there are changes")
      .option("--from <dir>", "plan from this directory's code, with nothing running")
      .option("--to <dir>", "with --from: to this directory's code; default: here")
      .addOption(maxRung()).addOption(meta()),
    async (_, options) =>
      options["from"] === undefined && options["to"] === undefined
        ? (await import("../command/plan.ts")).plan(options)
        : (await import("../command/plan-between.ts")).planBetweenDirectories(options),
  );
  wire(
    program.command("deploy").description("bring the code live").argument("[what]", "a saved plan, or a release (r12) to go to")
      .option("-y, --yes", "do not ask")
      .option("--dry-run", "only say what would happen; same as plan")
      .option("--exit-code", "with --dry-run: exit 10 if there are changes")
      .addOption(maxRung()).addOption(meta()).addOption(timeout())
      .addOption(new Option("--lock-wait <time>", "how long to wait for a rollout that goes on (90s, 15m); default: not at all").argParser(duration)),
    async ([what], options) =>
      options["dryRun"] === true ? (await import("../command/plan.ts")).plan(options) : (await import("../command/deploy.ts")).deploy(what, options),
  );
  wire(
    program.command("build").description("make a release and a directory to start it from, for an image; nothing goes live")
      .option("-o, --out <dir>", "the directory to make")
      .addOption(meta()),
    async (_, options) => (await import("../command/build.ts")).build(options),
  );
  wire(
    program.command("status").description("what runs where, and is it fine").option("-w, --watch", "go on showing it"),
    async (_, options) => (await import("../command/status.ts")).status(options),
  );
  wire(
    program.command("rollback").description("go back to the release before").argument("[release]", "the release (r12) to go to")
      .option("--to <release>", "the release (r12) to go to")
      .option("-y, --yes", "do not ask").addOption(timeout()),
    async ([release], options) => (await import("../command/rollback.ts")).rollback(release, options),
  );
}

function addSteering(program: Command, wire: Wire): void {
  const why = (): Option => new Option("--why <text>", "kept with it, for people");
  wire(
    program.command("pause").description("let no further wave of a rollout follow").addOption(why()),
    async (_, options) => (await import("../command/steer.ts")).pause(options),
  );
  wire(
    program.command("promote").description("let the next wave of a rollout follow now").option("-y, --yes", "do not ask").addOption(why()),
    async (_, options) => (await import("../command/steer.ts")).promote(options),
  );
  wire(
    program.command("abort").description("take a rollout back").option("-y, --yes", "do not ask").addOption(why()).addOption(timeout()),
    async (_, options) => (await import("../command/steer.ts")).abort(options),
  );
}

function addLooking(program: Command, wire: Wire): void {
  const releases = program.command("releases").description("list releases, newest first").addOption(
    new Option("-n, --limit <count>", "how many").default(20).argParser(wholeNumber),
  );
  wire(releases, async (_, options) => (await import("../command/releases.ts")).releases(options));
  wire(
    releases.command("diff").description("what changed from one release to another").argument("<from>", "a release (r12)").argument("<to>", "a release (r13)"),
    async ([from, to]) => (await import("../command/releases-diff.ts")).releasesDiff(from ?? "", to ?? ""),
  );
  wire(
    program.command("show").description("all that is known of a release").argument("[release]", "the release (r12); default: the live one"),
    async ([release]) => (await import("../command/show.ts")).show(release),
  );
  wire(program.command("ps").description("list the processes"), async () => (await import("../command/ps.ts")).ps());
}

function addHelping(program: Command, wire: Wire): void {
  wire(
    program.command("config").description("print the configuration as it is understood").option("--explain", "and where each value comes from"),
    async (_, options) => (await import("../command/config.ts")).config(options),
  );
  wire(
    program.command("explain").description("what an error code means; works offline").argument("<code>", "for example REPLACE_NEEDED"),
    async ([code]) => (await import("../command/explain.ts")).explain(code ?? ""),
  );
  wire(
    program.command("completion").description("print a completion script").argument("<shell>", shells.join(", ")),
    async ([shell]) => (await import("../command/completion.ts")).completion(shell ?? ""),
  );
  wire(
    program.command("__complete", { hidden: true }).argument("[words...]"),
    async () => (await import("../command/complete.ts")).complete(program),
  );
}

function maxRung(): Option {
  return new Option("--max-rung <rung>", "the strongest way it may take").choices([...rungs]);
}

function meta(): Option {
  return new Option("--meta <key=value>", "kept with the release; may be repeated").default({}, "none").argParser((text, before: unknown) => {
    const at = text.indexOf("=");
    if (at < 1) throw new InvalidArgumentError("It is not key=value.");
    return { ...(before as Record<string, string>), [text.slice(0, at)]: text.slice(at + 1) };
  });
}

function timeout(): Option {
  return new Option("--timeout <seconds>", "how long to wait for the processes; then exit 6, and it goes on").argParser((text) => {
    const seconds = Number(text.replace(/s$/, ""));
    if (!(seconds > 0)) throw new InvalidArgumentError("It is not a number of seconds.");
    return seconds;
  });
}

/** In seconds. */
function duration(text: string): number {
  const [, number, unit = "s"] = /^(\d{1,6})(s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("It is not a time, such as 90s or 15m.");
  return Number(number) * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"];
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("It is not a whole number.");
  return Number(text);
}
