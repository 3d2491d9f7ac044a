/** What is looked at in a JSON value; everything else is passed over. */
export interface Watch {
  /** Where the value is an object: the members that are looked at. */
  readonly members?: readonly Member[]
  /** Where it is an array: each of its items. */
  readonly items?: Watch
  /** Where it is a number: what it counts. */
  readonly count?: Count
  /** Where it is a string: whether it is empty. */
  readonly text?: true
}

interface Member {
  /** ASCII only: a name is compared byte by byte. */
  readonly name: Uint8Array
  readonly watch: Watch
}

/** The counts a provider tells, under the names they have here. */
export type Count = 'prompt' | 'input' | 'output' | 'cachedPart' | 'writtenPart' | 'cacheRead' | 'cacheCreation'

const text: Watch = { text: true }

const details = object({ cached_tokens: { count: 'cachedPart' }, cache_write_tokens: { count: 'writtenPart' } })

const counts = {
  prompt_tokens: { count: 'prompt' },
  completion_tokens: { count: 'output' },
  prompt_tokens_details: details,
  input_tokens: { count: 'input' },
  output_tokens: { count: 'output' },
  input_tokens_details: details,
  cache_read_input_tokens: { count: 'cacheRead' },
  cache_creation_input_tokens: { count: 'cacheCreation' },
} as const

/** The usage of a whole call, or of what it has used up to an event that tells it. */
export const finalUsage = object(counts)

/** The usage that Anthropic's `message_start` tells: the input is known, the output has just begun. */
export const firstUsage = object(counts)

/** A response: OpenAI's (any API) and Anthropic's have it at the top; some servers wrap it. */
export const document = object({ usage: finalUsage, message: object({ usage: finalUsage }), response: object({ usage: finalUsage }) })

/** A server-sent event of the same APIs, with the places that carry what the model generated. */
export const event = object({
  usage: finalUsage,
  message: object({ usage: firstUsage }),
  response: object({ usage: finalUsage }),
  // A string in OpenAI's Responses API, an object in Anthropic's.
  delta: { text: true, ...object({ text, thinking: text, partial_json: text }) },
  choices: { items: object({ text, delta: generated() }) },
})

function generated(): Watch {
  const called = object({ name: text, arguments: text, input: text })
  return object({
    content: text,
    refusal: text,
    reasoning: text,
    reasoning_content: text,
    function_call: called,
    tool_calls: { items: object({ function: called, custom: called }) },
  })
}

function object(members: Readonly<Record<string, Watch>>): Watch {
  const encoder = new TextEncoder()
  return { members: Object.entries(members).map(([name, watch]) => ({ name: encoder.encode(name), watch })) }
}
