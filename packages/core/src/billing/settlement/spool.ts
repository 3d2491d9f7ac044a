/**
 * Keeps on disk, or wherever it outlives the process, what could not be posted: `spoolDirectory(path)` of
 * @farebox/core/spool, or one of yours. A method that fails rejects: billing logs that and goes on without.
 */
export interface Spool {
  /** Resolves once the record, one line of text, would survive a crash of this machine. */
  append(record: string): Promise<SpooledRecord>
  /**
   * Takes records that no process has in memory: of one that has ended, or that were left. No two should have the same
   * one; should they, nothing is charged twice. A record that was cut short is given as it is.
   *
   * @returns a bounded number of them, none where there are none
   */
  take(): Promise<readonly TakenRecord[]>
  /** Lets go of what is still in it, for whoever takes it next. */
  close(): Promise<void>
}

/** A record that this process has in memory too. */
export interface SpooledRecord {
  /** It is posted. */
  remove(): void
  /** It is in memory no longer. */
  leave(): void
}

export interface TakenRecord extends SpooledRecord {
  readonly record: string
}
