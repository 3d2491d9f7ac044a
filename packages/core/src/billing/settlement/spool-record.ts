import type { NamedCall } from '../call/call.js'
import type { Ending } from './delivery.js'

/** What is needed to end a call in another process, as one line. */
export function recordOf({ key, ceiling }: NamedCall, command: Ending): string {
  return JSON.stringify({ key, ceiling, command })
}

/** `undefined` for a line that is not such a record, or not all of one. */
export function readRecord(record: string): { readonly call: NamedCall; readonly command: Ending } | undefined {
  try {
    const { key, ceiling, command } = JSON.parse(record) as { key: string; ceiling: number; command: Ending }
    if (!['settle', 'release', 'hold'].includes(command.kind)) return undefined
    return { call: { key, ceiling, account: command.account, reservation: command.reservation }, command }
  } catch {
    return undefined
  }
}
