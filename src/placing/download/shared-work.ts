/** Work that several ask for at the same time and that must be done once: they all get the one promise. */
export class SharedWork<T> {
  readonly #underWay = new Map<string, Promise<T>>();

  /** Return the work that is under way for this key, else begin it. A failure is everyone's, and the next call tries anew. */
  run(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#underWay.get(key);
    if (running) return running;
    const started = work().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, started);
    return started;
  }
}
