import { exitCodes } from './verb';

/** Work that has not stopped by then is ended: the promise is two seconds. */
const patienceMs = 1700;

export interface Signals {
  readonly signal: AbortSignal;
  /** 130 or 143 once a signal came, else undefined. */
  exitCode(): number | undefined;
  stop(): void;
}

/** Turns the first SIGINT or SIGTERM into an abort; a second one, or no end in time, ends the process. */
export function listenForSignals(): Signals {
  const controller = new AbortController();
  let code: number | undefined;
  const on = (exitCode: number) => (): void => {
    if (code !== undefined) process.exit(code);
    code = exitCode;
    controller.abort();
    setTimeout(() => process.exit(exitCode), patienceMs).unref();
  };
  const onInterrupt = on(exitCodes.sigint);
  const onTerminate = on(exitCodes.sigterm);
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return {
    signal: controller.signal,
    exitCode: () => code,
    stop() {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
    },
  };
}
