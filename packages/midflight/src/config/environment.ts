/** What the environment says about the one who reads the output. */
export interface ScreenEnvironment {
  readonly noColor: boolean;
  readonly forceColor: boolean;
  readonly isDumb: boolean;
  readonly isUnicode: boolean;
  readonly isCi: boolean;
  /** Print where an error came from. */
  readonly isDebug: boolean;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** The process's variables; the one place where they are read. */
export function readVariables(): Variables {
  return process.env;
}

export function readScreenEnvironment(variables: Variables, platform: NodeJS.Platform = process.platform): ScreenEnvironment {
  const locale = variables["LC_ALL"] || variables["LC_CTYPE"] || variables["LANG"] || "";
  const forced = variables["FORCE_COLOR"];
  return {
    noColor: (variables["NO_COLOR"] ?? "") !== "" || forced === "0" || forced === "false",
    forceColor: forced !== undefined && forced !== "0" && forced !== "false",
    isDumb: variables["TERM"] === "dumb",
    isUnicode: /utf-?8/i.test(locale) || (locale === "" && (platform === "darwin" || platform === "win32")),
    isCi: (variables["CI"] ?? "") !== "" && variables["CI"] !== "false",
    isDebug: (variables["MIDFLIGHT_DEBUG"] ?? "") !== "",
  };
}
