import { toCredits } from '../credits.js'
import type { Receipt } from '../billing/call/call.js'

/** What a settled call tells its caller, in credits. */
export function closingHeaders({ ceiling, charge, available, operation }: Pick<Receipt, 'ceiling' | 'charge' | 'available' | 'operation'>): Record<string, string> {
  return {
    ...ceilingHeader(ceiling),
    // What an operation costs is not known yet.
    ...(!operation && { 'Credits-Charged': String(toCredits(charge)) }),
    ...(available !== undefined && { 'Credits-Remaining': String(toCredits(available)) }),
  }
}

export function ceilingHeader(ceiling: number): Record<string, string> {
  return { 'Credits-Ceiling': String(toCredits(ceiling)) }
}
