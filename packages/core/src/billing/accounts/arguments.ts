import { MAX_CREDITS, toMicro } from '../../credits.js'
import { FareboxError } from '../../errors.js'
import { identify } from '../admission/account.js'

function invalid(message: string): FareboxError {
  return new FareboxError('ARGUMENT_INVALID', message)
}

export function checkAccount(account: unknown): void {
  const who = identify(account)
  if (who.kind === 'nobody') throw invalid(who.reason)
}

/** More than 0, as micro-credits. */
export function checkCredits(credits: unknown): number {
  const amount = toMicro(credits)
  if (!amount) throw invalid(`credits: expected more than 0 and at most ${MAX_CREDITS}, got ${String(credits)}`)
  return amount
}

export function checkId(id: unknown): void {
  if (typeof id !== 'string' || id === '') throw invalid('id: expected a string that is the same when this is sent again')
  checkWellFormed('id', id)
}

export function checkReason(field: string, text: unknown): void {
  if (typeof text !== 'string') throw invalid(`${field}: expected a string, got ${typeof text}`)
  checkWellFormed(field, text)
}

/** As UTF-8 all lone surrogates are the same character: two ids would be one. */
function checkWellFormed(field: string, text: string): void {
  if (/\p{Surrogate}/u.test(text)) throw invalid(`${field}: expected well-formed Unicode, got a lone surrogate`)
}

export function checkWhole(field: string, value: unknown, least: number, most: number): void {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) throw invalid(`${field}: expected a whole number from ${least} to ${most}, got ${String(value)}`)
}

export function checkEntry(after: unknown): void {
  if (typeof after !== 'string' || !/^\d*$/.test(after)) throw invalid(`after: expected the id of an entry, got ${String(after)}`)
}

/** As ms since the epoch. */
export function checkTime(field: string, time: unknown): number {
  const ms = time instanceof Date ? time.getTime() : time
  if (!Number.isSafeInteger(ms) || (ms as number) <= 0) throw invalid(`${field}: expected a date or ms since the epoch, got ${String(time)}`)
  return ms as number
}
