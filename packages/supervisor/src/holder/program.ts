import { fileURLToPath } from "node:url";

/** How one of the programs beside this file is started with Node, from sources or compiled. */
export function programOf(name: "main" | "listener"): { readonly main: string; readonly nodeArgs: readonly string[] } {
  const isSource = import.meta.url.endsWith(".ts");
  return {
    main: fileURLToPath(new URL(`./${name}.${isSource ? "ts" : "js"}`, import.meta.url)),
    nodeArgs: isSource ? ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning"] : [],
  };
}
