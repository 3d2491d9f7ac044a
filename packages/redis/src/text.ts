import { FareboxError } from '@farebox/core'

export function encodeText(text: string): string {
  return encodeURIComponent(checkText(text))
}

export function checkText(text: string): string {
  if (!/\p{Surrogate}/u.test(text)) return text
  throw new FareboxError('ARGUMENT_INVALID', 'redisStore: a text is not well-formed Unicode')
}

export function encodeNumber(name: string, value: number | undefined): string {
  if (Number.isSafeInteger(value)) return String(value)
  throw new FareboxError('ARGUMENT_INVALID', `redisStore: ${name} must be an integer below 2^53, got ${String(value)}`)
}
