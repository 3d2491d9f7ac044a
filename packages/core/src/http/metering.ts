import { toCredits } from '../credits.js'
import type { Receipt } from '../billing/call/call.js'

type Cost = Pick<Receipt, 'charge' | 'ceiling' | 'pending'>

/** What a response says of its own cost, in credits. */
export function meteringOf({ charge, ceiling, pending }: Cost) {
  return { creditsCharged: toCredits(charge), estimatedMaxCredits: toCredits(ceiling), ...(pending && { pending }) }
}

/** The same as a stream's last server-sent event. Empty lines before it end whatever was left unfinished, and mean nothing otherwise. */
export function meteringEvent(cost: Cost): string {
  return `\n\nevent: metering\ndata: ${JSON.stringify(meteringOf(cost))}\n\n`
}

/**
 * Puts `metering` into a JSON object, as its last member. The text around it stays byte for byte what the
 * handler wrote: parsing and printing it again would round long numbers. What is no object stays as it is.
 *
 * @returns the new text, or `undefined` where nothing was added
 */
export function addMetering(json: string, cost: Cost): string | undefined {
  const members = openObject(json)
  if (!members) return undefined
  const metering = JSON.stringify(meteringOf(cost))
  const { head, empty, tail } = members
  return `${head}${empty ? '' : ','}"metering":${metering}${tail}`
}

/** Splits the text of a JSON object before its last brace; `undefined` for anything else, or where `metering` is taken. */
function openObject(json: string): { head: string; empty: boolean; tail: string } | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.hasOwn(value, 'metering')) return undefined
  const brace = json.lastIndexOf('}')
  return { head: json.slice(0, brace).trimEnd(), empty: Object.keys(value).length === 0, tail: json.slice(brace) }
}
