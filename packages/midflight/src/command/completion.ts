import { nearest } from "@midflight/control/config";
import { usage } from "../cli/context.ts";
import type { RunCommand } from "../cli/program.ts";

/** Each script hands the words so far to `midflight __complete`, which knows commands, options and releases. */
const scripts: Readonly<Record<string, string>> = {
  bash: `# midflight completion bash >> ~/.bashrc
_midflight() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(midflight __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _midflight midflight
`,
  zsh: `#compdef midflight
# midflight completion zsh > "\${fpath[1]}/_midflight"
_midflight() {
  local -a candidates
  candidates=("\${(@f)$(midflight __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
if [ "$funcstack[1]" = "_midflight" ]; then _midflight "$@"; else compdef _midflight midflight; fi
`,
  fish: `# midflight completion fish > ~/.config/fish/completions/midflight.fish
complete -c midflight -f -a '(midflight __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};

/** `midflight completion bash|zsh|fish` */
export function completion(shell: string): RunCommand {
  return async () => {
    const script = scripts[shell];
    if (script === undefined) {
      const near = nearest(shell, Object.keys(scripts));
      throw usage(`There is no completion for ${shell}.${near === null ? "" : ` Did you mean ${near}?`}`, `midflight completion ${near ?? "bash"}`);
    }
    return { data: { shell, script }, lines: script.trimEnd().split("\n") };
  };
}
