/** What can be said of a project without starting anything: light enough to be loaded by every command. */
export { type Config, type ServiceConfig } from "./config/config.ts";
export { type Override } from "./config/config-reader.ts";
export { parseConfig, type ParseOptions } from "./config/parse-config.ts";
export { codeOf, scopeOf } from "./config/app-scope.ts";
export {
  isDevelopment, targetsOf,
  type ConfigOrigin, type KeyPlace, type ResolvedConfig, type ResolvedService,
} from "./config/resolved-config.ts";
export { nearest } from "./nearest.ts";
