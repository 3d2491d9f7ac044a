export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

export interface Completion {
  readonly text: string
  readonly tokens: number
  /** `length` when `maxTokens` cut it short. */
  readonly finish: 'stop' | 'length'
}

/** What a message takes besides its content: its role and its end. */
const TOKENS_A_MESSAGE = 3

/** A token is up to six letters or digits, or one other character that is no space. */
const TOKEN = /[\p{L}\p{N}]{1,6}|[^\s\p{L}\p{N}]/gu

export function promptTokens(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + TOKENS_A_MESSAGE + countTokens(content), 0)
}

function countTokens(text: string): number {
  return text.match(TOKEN)?.length ?? 0
}

/** What was made, token by token; a token has the space behind it. */
export function piecesOf({ text }: Completion): string[] {
  const starts = [...text.matchAll(TOKEN)].map(({ index }) => index)
  return starts.map((start, i) => text.slice(start, starts[i + 1]))
}

/** The local model: it repeats what was said last. The same messages always get the same answer. */
export function complete(messages: readonly Message[], maxTokens: number): Completion {
  const whole = `You said: ${messages.at(-1)?.content ?? ''}`
  const tokens = [...whole.matchAll(TOKEN)]
  const last = tokens[maxTokens - 1]
  if (!last || tokens.length === maxTokens) return { text: whole, tokens: tokens.length, finish: 'stop' }
  return { text: whole.slice(0, last.index + last[0].length), tokens: maxTokens, finish: 'length' }
}
