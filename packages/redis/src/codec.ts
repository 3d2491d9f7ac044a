import type { LedgerCommand, LedgerEntry, LedgerReply, SpentShare, UsageRow } from '@farebox/core'
import { decodeCrossing, decodeUse, listsOf } from './lists.js'
import { commands, replies } from './program.generated.js'
import { checkText, encodeNumber, encodeText } from './text.js'

/** A command as the Lua program takes it: texts percent-encoded, so that none can hold a separator. */
export interface Encoded {
  readonly account: string
  /** `''` where it names none, like the next two. */
  readonly reservation: string
  /** The idempotency key of its call. */
  readonly call: string
  readonly operation: string
  /** In the order in which its Lua function reads them. */
  readonly args: readonly string[]
}

/** Texts that may be long travel as they are, because Lua pays for every byte and encoding makes more of them. Lists are encoded by then. */
const RAW = new Set(['response', 'result', 'details', 'terms', 'budgets', 'thresholds'])

/** @throws FareboxError `ARGUMENT_INVALID` for a text that is not well-formed or a number that is not a safe integer */
export function encodeCommand(command: LedgerCommand): Encoded {
  const values = { ...command, ...listsOf(command) } as unknown as Readonly<Record<string, string | number | undefined>>
  const encoded = (name: string) => encodeText(String(values[name] ?? ''))
  const args: string[] = []
  for (const name of commands[command.kind].args) {
    const value = values[name]
    if (RAW.has(name)) args.push(checkText(String(value ?? '')))
    else args.push(typeof value === 'string' ? encodeText(value) : encodeNumber(name, value))
    // Without an idempotency key, nothing of what goes with it is sent.
    if (name === 'key' && value === '') break
  }
  return { account: encoded('account'), reservation: encoded('reservation'), call: encoded('key'), operation: encoded('operation'), args }
}

/** What the Lua program answers: a line and what the command's file says of more, and behind it a long text. */
export type EncodedReply = string | readonly [reply: string, long: string]

/** A reply as core knows it. */
export function decodeReply(command: LedgerCommand, encoded: EncodedReply): LedgerReply {
  const [text, long] = typeof encoded === 'string' ? [encoded] : encoded
  const [first, rest] = splitLine(text)
  return { ...decodeNumbers(first), ...decodeRest(command, rest, long) } as LedgerReply
}

/** A text's first line, and the rest of it. */
export function splitLine(text: string): [string, string] {
  const end = text.indexOf('\n')
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)]
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

function decodeRest(command: LedgerCommand, rest: string, long: string | undefined) {
  switch (command.kind) {
    case 'reserve': return long === undefined ? undefined : { response: long }
    case 'balance': return command.budgets && { budgets: lines(rest).map(decodeUse) }
    case 'watch': return { crossed: rest.split(',').filter((crossing) => crossing !== '').map(decodeCrossing) }
    case 'usage': return { rows: lines(rest).flatMap(decodeDay) }
    case 'entries': return { entries: lines(rest).map((line, i) => decodeEntry(line, Number(command.after) + i + 1)) }
    case 'hold': case 'progress': case 'finish': case 'operation':
      return long === undefined ? undefined : { operation: command.operation, ...decodeOperation(rest), result: long }
    default: return undefined
  }
}

export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** `status reservation product progress` */
function decodeOperation(line: string) {
  const [status, reservation, product, progress] = line.split(' ').map(decodeURIComponent)
  return { status, reservation, product, progress }
}

/** `20400 product=calls:charged …`, and `:refunded` behind them where there was a refund */
export function decodeDay(line: string): UsageRow[] {
  const [day, ...products] = line.split(' ') as [string, ...string[]]
  return products.map((entry) => {
    const [product, calls, charged, refunded = 0] = entry.split(/[=:]/) as [string, string, string, string?]
    return { day: Number(day), product: decodeURIComponent(product), calls: Number(calls), charged: Number(charged), refunded: Number(refunded) }
  })
}

/** `kind at amount balance shortfall reference label lots details`, without the last ones where there are none */
export function decodeEntry(line: string, id: number): LedgerEntry {
  const [kind, at, amount, balance, shortfall, reference, label, lots = '', ...details] = line.split(' ') as
    [LedgerEntry['kind'], string, string, string, string, string, string, ...string[]]
  return {
    id: String(id), at: Number(at), kind, amount: Number(amount), balance: Number(balance),
    reference: decodeURIComponent(reference), label: decodeURIComponent(label), shortfall: Number(shortfall),
    lots: lots.split(',').filter((share) => share !== '').map(decodeShare),
    details: details.join(' '),
  }
}

/** `grant:amount:priority:expiresAt:source` */
function decodeShare(text: string): SpentShare {
  const [grant, amount, priority, expiresAt, source] = text.split(':') as [string, string, string, string, string]
  return { grant: decodeURIComponent(grant), amount: Number(amount), priority: Number(priority), expiresAt: Number(expiresAt), source: decodeURIComponent(source) }
}
