import { MAX_CREDITS, toMicro } from '../../credits.js'
import { FareboxError } from '../../errors.js'
import { itemize } from '../prices/metered.js'
import type { ChargeItem, ItemizedCharge, Quantities } from '../prices/route.js'

/** What an operation came to. `charge` in credits; `usage` in units of the route's rates; neither: its price. */
export interface Success {
  readonly charge?: number
  readonly usage?: Quantities<string>
  /** Anything that JSON can say. */
  readonly result?: unknown
}

export interface Failure {
  readonly result?: unknown
}

/** The longest result or progress that is kept, in characters of JSON. */
const MAX_KEPT = 262_144

/** What an operation cost, micro-credits; without an amount: its price. Throws as `Operations.succeed` does. */
export function costOf({ charge, usage }: Success, rates: Readonly<Record<string, number>>): { readonly micro?: number; readonly items: readonly ChargeItem[] } {
  if (charge === undefined && usage === undefined) return { items: [] }
  const { credits, items } = charge === undefined ? itemsOf(usage, rates) : { credits: charge, items: [] }
  const micro = toMicro(credits)
  if (micro === undefined) throw new FareboxError('ARGUMENT_INVALID', `charge: expected credits from 0 to ${MAX_CREDITS}, got ${String(credits)}`)
  return { micro, items }
}

function itemsOf(usage: Quantities<string> | undefined, rates: Readonly<Record<string, number>>): ItemizedCharge {
  if (typeof usage === 'object' && usage !== null) return itemize(rates, usage)
  throw new FareboxError('ARGUMENT_INVALID', `usage: expected an object of quantities by unit, got ${String(usage)}`)
}

/** As JSON; `''` for nothing. */
export function jsonOf(field: string, value: unknown): string {
  if (value === undefined) return ''
  const json = printed(field, value)
  if (json === undefined) throw new FareboxError('ARGUMENT_INVALID', `${field}: expected what JSON can say, got a ${typeof value}`)
  if (json.length > MAX_KEPT) throw new FareboxError('ARGUMENT_INVALID', `${field}: expected at most ${MAX_KEPT} characters of JSON, got ${json.length}`)
  return json
}

function printed(field: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw new FareboxError('ARGUMENT_INVALID', `${field}: expected what JSON can say`, { cause })
  }
}
