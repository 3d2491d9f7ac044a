import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'

/** Asks on the terminal; anything but a yes is a no. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // Ctrl-C and Ctrl-D close it.
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), once(terminal, 'close').then(() => '')])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
