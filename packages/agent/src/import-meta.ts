import type { Hot } from "./hot.ts";

declare global {
  interface ImportMeta {
    /** Hooks of this module; undefined without an agent, and in a module that declares none. */
    readonly hot?: Hot;
  }
  namespace NodeJS {
    interface Module {
      /** The same for CommonJS. */
      readonly hot?: Hot;
    }
  }
}
