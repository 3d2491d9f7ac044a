import type { Call } from '../call/call.js'
import type { Settings } from '../options.js'

/** The longest account id, in UTF-16 units. */
const MAX_LENGTH = 256

export type Identified =
  | { readonly kind: 'account'; readonly account: string }
  | { readonly kind: 'nobody'; readonly reason: string }

/**
 * Reads what the `account` option returned. Lone surrogates are refused: written as UTF-8 they all become the
 * same character, and two accounts would share one balance.
 */
export function identify(value: unknown): Identified {
  const reason = faultOf(value)
  return reason === undefined ? { kind: 'account', account: value as string } : { kind: 'nobody', reason }
}

/** Asks the `account` option who pays for this request. */
export async function whoPays({ account }: Pick<Settings<never>, 'account'>, { request }: Pick<Call, 'request'>): Promise<Identified> {
  return identify(await account(request as never))
}

/** Whether a value can name an account, or an operation. */
export function isId(value: unknown): value is string {
  return faultOf(value) === undefined
}

function faultOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return 'no account: this call has to say who pays for it'
  if (typeof value !== 'string') return `account: expected a string, got ${typeof value}`
  if (value.length > MAX_LENGTH) return `account: expected at most ${MAX_LENGTH} characters, got ${value.length}`
  if (LONE_SURROGATE.test(value)) return 'account: expected well-formed Unicode, got a lone surrogate'
  return undefined
}

const LONE_SURROGATE = /\p{Surrogate}/u
