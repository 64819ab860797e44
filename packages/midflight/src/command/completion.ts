import { nearest } from "@midflight/control/config";
import { type RunCommand, usage } from "../cli/context.ts";
import { shells, type Shell } from "../cli/shells.ts";

/** Each script hands the words so far to `midflight __complete`, which knows commands, options and releases; else it offers files. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `# midflight completion bash >> ~/.bashrc
_midflight() {
  local IFS=$'\\n' word="\${COMP_WORDS[COMP_CWORD]}"
  if [[ $word == "=" ]]; then word=""; fi
  COMPREPLY=($(compgen -W "$(midflight __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "$word"))
}
complete -o default -F _midflight midflight
`,
  zsh: `#compdef midflight
# midflight completion zsh > "\${fpath[1]}/_midflight"
_midflight() {
  local -a candidates
  candidates=(\${(f)"$(midflight __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#candidates )); then
    compadd -a candidates
  else
    compset -P '--*='
    _files
  fi
}
if [ "$funcstack[1]" = "_midflight" ]; then _midflight "$@"; else compdef _midflight midflight; fi
`,
  fish: `# midflight completion fish > ~/.config/fish/completions/midflight.fish
function __midflight_complete
  set -l found (midflight __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    set -l option (string match -r -- '^--[^=]+=' (commandline -ct))
    for file in (__fish_complete_path (string replace -- "$option" '' (commandline -ct)))
      echo "$option$file"
    end
  end
end
complete -c midflight -f -a '(__midflight_complete)'
`,
};

/** `midflight completion bash|zsh|fish` */
export function completion(name: string): RunCommand {
  return async () => {
    const shell = shells.find((one) => one === name);
    if (shell === undefined) {
      const near = nearest(name, shells);
      throw usage(`There is no completion for ${name}.${near === null ? "" : ` Did you mean ${near}?`}`, `midflight completion ${near ?? "bash"}`);
    }
    const script = scripts[shell];
    return { data: { shell, script }, lines: script.trimEnd().split("\n") };
  };
}
