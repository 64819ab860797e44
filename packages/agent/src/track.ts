export interface Tracked<T> {
  readonly result: Promise<T>;
  readonly isDone: () => boolean;
}

/** Knows of work whether it has settled. */
export function track<T>(work: Promise<T>): Tracked<T> {
  let isDone = false;
  const watch = async (): Promise<T> => {
    try {
      return await work;
    } finally {
      isDone = true;
    }
  };
  return { result: watch(), isDone: () => isDone };
}
