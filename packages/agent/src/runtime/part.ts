type Function_ = (...args: unknown[]) => unknown;

/** Something that is to be compiled while staging, or by its first use where the app had not loaded yet. */
export interface Step {
  force(): void;
}

/** Something to make live: what will be written, and what must be compiled before. */
export interface Part<T> extends Step {
  readonly value: T;
  /** What was compiled; undefined before, and where each activation has its own. */
  made(): Function_ | undefined;
}

/** A function to make live. */
export interface FunctionPart extends Part<Function_> {
  /** The function as its text makes it. */
  like(): Function_;
}
