/** Answers by question: those that are known, newest last, and those that are on their way. */
export class Answers<Answer> {
  readonly #known = new Map<string, Answer>();
  readonly #coming = new Map<string, Promise<void>>();

  /** `most`: how many are remembered. */
  constructor(private readonly most: number) {}

  /** What is known; otherwise it is asked for, once, and `arrived` is told how long that took. */
  get(
    question: string,
    ask: () => Promise<Answer | null>,
    arrived: (milliseconds: number) => void = () => undefined,
  ): Answer | undefined {
    const known = this.#known.get(question);
    if (known !== undefined || this.#coming.has(question)) return known;
    const began = Date.now();
    const coming = ask().then((answer) => {
      this.#coming.delete(question);
      if (answer === null) return;
      this.#remember(question, answer);
      arrived(Date.now() - began);
    });
    this.#coming.set(question, coming);
    return undefined;
  }

  get coming(): readonly Promise<void>[] {
    return [...this.#coming.values()];
  }

  clear(): void {
    this.#known.clear();
  }

  #remember(question: string, answer: Answer): void {
    this.#known.set(question, answer);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.most) return;
      this.#known.delete(oldest);
    }
  }
}
