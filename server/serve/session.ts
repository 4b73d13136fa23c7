/** What a protocol needs of its connection. */
export interface Peer {
  send(bytes: Uint8Array): void;
  /** A text frame, which openpi's client takes for a traceback. */
  sendText(text: string): void;
  close(code: number, reason: string): void;
}

/** One connection's protocol. Messages arrive one after another. */
export interface Session {
  /** Answers a message; what it throws is reported by `fail`. */
  receive(message: unknown): Promise<void>;
  /** Tells the client about a message that could not be answered. */
  fail(error: unknown, message: unknown): void;
}

export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
