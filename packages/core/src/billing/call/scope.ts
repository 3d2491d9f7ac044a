import type { CallMeter } from './call-meter.js'

type Enter = <T>(meter: CallMeter, run: () => T) => T

let enter: Enter = (_, run) => run()

/** Runs what is below a handler so that the meter of its call can be found there. Does nothing until an app uses `@farebox/core/meter`. */
export function withMeter<T>(meter: CallMeter | undefined, run: () => T): T {
  return meter ? enter(meter, run) : run()
}

/** Called once by `@farebox/core/meter`, which alone needs Node's AsyncLocalStorage. */
export function onEnter(how: Enter): void {
  enter = how
}
