import { nearest } from "@midflight/control/config";
import type { ErrorCode } from "@midflight/protocol";
import { type RunCommand, usage } from "../cli/context.ts";
import { errorPages } from "../explain/error-pages.ts";
import { exitCodeOf } from "../output/exit-code.ts";
import { hanging } from "../output/text.ts";

/** `midflight explain CODE` */
export function explain(given: string): RunCommand {
  return async ({ screen }) => {
    const code = given.toUpperCase().replaceAll("-", "_");
    if (!isCode(code)) {
      const near = nearest(code, Object.keys(errorPages));
      throw usage(`There is no error code ${given}.${near === null ? "" : ` Did you mean ${near}?`}`, near === null ? "docs/errors.md lists them all" : `midflight explain ${near}`);
    }
    const page = errorPages[code];
    const width = screen.out.width;
    const line = (label: string, text: string): string[] => hanging(`  ${label}`, 9, text, width);
    return {
      data: { code, ...page, exit: exitCodeOf(code) },
      lines: [
        `${screen.out.paint("strong", code)}  ${screen.out.paint("dim", `exit ${exitCodeOf(code)}`)}`,
        ...line("What", page.what),
        ...line("Why", page.why),
        ...line("State", page.state),
        ...line("Do", page.fix),
      ],
    };
  };
}

function isCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorPages, text);
}
