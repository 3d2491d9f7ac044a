/** What the process ends with. */
export const EXIT = { ok: 0, found: 1, failed: 2 } as const

/** A document a line for programs, or the text for people. */
export function print(json: boolean, document: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(document) : text())
}

/** Text from outside on one line of a terminal: what could steer it is escaped. */
export function plain(text: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(text) ? text : JSON.stringify(text).replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`)
}

/** Rows in columns, the first being their headings. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ').trimEnd()).join('\n')
}
