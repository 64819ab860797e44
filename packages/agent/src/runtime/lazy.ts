/** A value made at most once, when it is first needed or when staging asks for it. What it is made of is let go then. */
export class Lazy<T> {
  #make: (() => T) | null;
  #value: T | undefined;

  constructor(make: () => T) {
    this.#make = make;
  }

  get isMade(): boolean {
    return this.#make === null;
  }

  get(): T {
    if (this.#make !== null) {
      this.#value = this.#make();
      this.#make = null;
    }
    return this.#value as T;
  }

  set(value: T): void {
    this.#make = null;
    this.#value = value;
  }
}
