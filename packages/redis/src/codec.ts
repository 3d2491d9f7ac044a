import { FareboxError, type Command, type LedgerEntry, type Reply, type UsageRow } from '@farebox/core'
import { commands, replies } from './program.generated.js'

/** A command as the Lua program takes it: texts percent-encoded, so that none can hold a separator. */
export interface Encoded {
  readonly account: string
  /** `''` where it names none. */
  readonly reservation: string
  /** In the order in which its Lua function reads them. */
  readonly args: readonly string[]
}

/** @throws FareboxError `ARGUMENT_INVALID` for a text that is not well-formed or a number that is not a safe integer */
export function encodeCommand(command: Command): Encoded {
  const values = command as unknown as Readonly<Record<string, string | number>>
  return {
    account: encodeText(command.account),
    reservation: 'reservation' in command ? encodeText(command.reservation) : '',
    args: commands[command.kind].args.map((name) => {
      const value = values[name]
      return typeof value === 'string' ? encodeText(value) : encodeNumber(name, value)
    }),
  }
}

function encodeText(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch (cause) {
    throw new FareboxError('ARGUMENT_INVALID', 'redisStore: a text is not well-formed Unicode', { cause })
  }
}

function encodeNumber(name: string, value: number | undefined): string {
  if (Number.isSafeInteger(value)) return String(value)
  throw new FareboxError('ARGUMENT_INVALID', `redisStore: ${name} must be an integer below 2^53, got ${String(value)}`)
}

/** A reply as core knows it. */
export function decodeReply(command: Command, text: string): Reply {
  const [first, ...rest] = text.split('\n') as [string, ...string[]]
  const lines = rest.filter((line) => line !== '')
  return { ...decodeNumbers(first), ...decodeRest(command, lines) } as Reply
}

/** `reserved 1 2 3 4`, with the names that the Lua file gives its numbers. */
function decodeNumbers(line: string): Record<string, unknown> {
  const [kind, ...numbers] = line.split(' ') as [keyof typeof replies, ...string[]]
  const reply: Record<string, unknown> = { kind }
  replies[kind].forEach((name, i) => {
    const value = Number(numbers[i])
    if (name.endsWith('?')) reply[name.slice(0, -1)] = value === 1
    else reply[name] = value
  })
  if ('balance' in reply) reply['available'] = Math.max(0, Number(reply['balance']) - Number(reply['reserved']))
  return reply
}

function decodeRest(command: Command, lines: readonly string[]) {
  switch (command.kind) {
    case 'usage': return { rows: lines.flatMap(decodeDay) }
    case 'entries': return { entries: lines.map((line, i) => decodeEntry(line, Number(command.after) + i + 1)) }
    default: return undefined
  }
}

/** `20400 product=calls:charged …` */
function decodeDay(line: string): UsageRow[] {
  const [day, ...products] = line.split(' ') as [string, ...string[]]
  return products.map((entry) => {
    const [product, calls, charged] = entry.split(/[=:]/) as [string, string, string]
    return { day: Number(day), product: decodeURIComponent(product), calls: Number(calls), charged: Number(charged) }
  })
}

/** `kind at amount balance shortfall reference label` */
function decodeEntry(line: string, id: number): LedgerEntry {
  const [kind, at, amount, balance, shortfall, reference, label] = line.split(' ') as
    [LedgerEntry['kind'], string, string, string, string, string, string]
  return {
    id: String(id), at: Number(at), kind, amount: Number(amount), balance: Number(balance),
    reference: decodeURIComponent(reference), label: decodeURIComponent(label), shortfall: Number(shortfall),
  }
}
