import { SingleBar } from 'cli-progress'

/** What is over sooner needs no bar. */
const SHOWN_AFTER_MS = 500

/** A bar on the terminal; nothing where stderr is none. */
export function progress(total: number) {
  const bar = new SingleBar({ format: '{bar} {percentage}%  {accounts} accounts, {findings} findings, {eta_formatted} left', stream: process.stderr, hideCursor: true, forceRedraw: true, clearOnComplete: true })
  const shownAt = Date.now() + SHOWN_AFTER_MS
  return {
    show(done: number, counts: { accounts: number, findings: number }): void {
      if (!process.stderr.isTTY || Date.now() < shownAt) return
      if (!bar.isActive) bar.start(total, 0, counts)
      bar.update(Math.min(done, total), counts)
    },
    /** Makes room for a line. */
    clear(): void {
      if (bar.isActive) process.stderr.write('\r\u001B[K')
    },
    stop(): void {
      bar.stop()
    },
  }
}
