import type { ReadUsage } from '../src/tokens/token-tally.js'

/** A response as a provider sends it, and what it tells. */
export interface TokenResponse {
  readonly name: string
  readonly contentType: string
  readonly body: string
  readonly usage: ReadUsage
}

export const nothing: ReadUsage = { input: undefined, output: undefined, cachedInput: 0, cacheWrite: 0, final: false, deltas: 0 }

const SSE = 'text/event-stream; charset=utf-8'
const told = (usage: Partial<ReadUsage>): ReadUsage => ({ ...nothing, final: true, ...usage })

/** Events without a name, as OpenAI's chat completions. */
const stream = (...events: unknown[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('') + 'data: [DONE]\n\n'

/** Events named by their type, as Anthropic's and OpenAI's responses. */
const named = (...events: readonly { readonly type: string; readonly [name: string]: unknown }[]): string =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

const chunk = (delta: object | undefined, usage?: unknown) => ({
  id: 'chatcmpl-9f', object: 'chat.completion.chunk', created: 1_760_000_000, model: 'small-1',
  choices: delta ? [{ index: 0, delta, logprobs: null, finish_reason: null }] : [],
  ...(usage !== undefined && { usage }),
})

const chatUsage = {
  prompt_tokens: 1206, completion_tokens: 37, total_tokens: 1243,
  prompt_tokens_details: { cached_tokens: 1024, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 12, accepted_prediction_tokens: 0 },
}

const responsesUsage = {
  input_tokens: 328, input_tokens_details: { cached_tokens: 256, cache_write_tokens: 64 },
  output_tokens: 52, output_tokens_details: { reasoning_tokens: 9 }, total_tokens: 380,
}

/** Text that a careless reader takes for the usage. */
const trap = 'say "usage": {"prompt_tokens": 1} \\ and \u20ac \u{1f600} "}]'

const output = [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: trap, usage: { input_tokens: 1 } }] }]

export const responses: readonly TokenResponse[] = [
  {
    name: 'a chat completion', contentType: 'application/json',
    body: JSON.stringify({
      id: 'chatcmpl-9f', object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: trap, usage: { prompt_tokens: 2 } }, finish_reason: 'stop' }],
      usage: chatUsage, system_fingerprint: 'fp_44',
    }, null, 2),
    usage: told({ input: 1206, output: 37, cachedInput: 1024 }),
  },
  {
    name: 'a chat completion with a tool call about usage', contentType: 'application/json; charset=utf-8',
    body: JSON.stringify({
      choices: [{ message: { content: null, tool_calls: [{ function: { name: 'report', arguments: '{"usage":{"prompt_tokens":99999}}' } }] } }],
      usage: { prompt_tokens: 80, completion_tokens: 21 },
    }),
    usage: told({ input: 80, output: 21 }),
  },
  {
    name: 'a chat completion with usage in front', contentType: 'application/json',
    body: JSON.stringify({ usage: { completion_tokens: 7, prompt_tokens: 3 }, choices: [{ message: { content: trap } }] }),
    usage: told({ input: 3, output: 7 }),
  },
  {
    name: 'a streamed chat completion with include_usage', contentType: SSE,
    body: stream(
      chunk({ role: 'assistant', content: '', refusal: null }, null), chunk({ content: trap }, null), chunk({ content: ' "' }, null),
      chunk({ content: '' }, null), chunk({}, null), chunk(undefined, chatUsage),
    ),
    usage: told({ input: 1206, output: 37, cachedInput: 1024, deltas: 2 }),
  },
  {
    name: 'a streamed chat completion without include_usage', contentType: SSE,
    body: stream(chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({})),
    usage: { ...nothing, deltas: 2 },
  },
  {
    name: 'a streamed chat completion of a reasoning model that calls tools', contentType: SSE,
    body: stream(
      chunk({ role: 'assistant', content: null, reasoning_content: 'Let me' }), chunk({ reasoning: ' see' }), chunk({ refusal: 'no' }),
      chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'usage', arguments: '' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"usage"' } }] }), chunk({ tool_calls: [{ index: 0, function: { arguments: '' } }] }),
      chunk({ function_call: { arguments: ':' } }), chunk({ tool_calls: [] }), chunk(undefined, { prompt_tokens: 5, completion_tokens: 6 }),
    ),
    usage: told({ input: 5, output: 6, deltas: 6 }),
  },
  {
    name: 'a streamed chat completion that tells its usage in every chunk', contentType: SSE,
    body: stream(
      chunk({ content: 'a' }, { prompt_tokens: 9, completion_tokens: 1 }), chunk({ content: 'b' }, { prompt_tokens: 9, completion_tokens: 2 }),
      chunk(undefined, { prompt_tokens: 9, completion_tokens: 3 }),
    ),
    usage: told({ input: 9, output: 3, deltas: 2 }),
  },
  {
    name: 'a chunk with two choices', contentType: SSE,
    body: stream({ choices: [{ delta: { content: 'a' } }, { delta: { content: 'b' } }] }, { choices: [{ delta: { content: '' } }, { delta: { content: 'b' } }] }),
    usage: { ...nothing, deltas: 2 },
  },
  {
    name: 'a legacy completion', contentType: 'application/json',
    body: JSON.stringify({ object: 'text_completion', choices: [{ text: trap, index: 0 }], usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } }),
    usage: told({ input: 5, output: 7 }),
  },
  {
    name: 'a streamed legacy completion', contentType: SSE,
    body: stream({ choices: [{ text: 'Once', index: 0 }], usage: null }, { choices: [{ text: '' }] }, { choices: [], usage: { prompt_tokens: 5, completion_tokens: 1 } }),
    usage: told({ input: 5, output: 1, deltas: 1 }),
  },
  {
    name: 'embeddings', contentType: 'application/json',
    body: JSON.stringify({ object: 'list', data: [{ embedding: [0.1, -2e-5, 3], index: 0 }], usage: { prompt_tokens: 8, total_tokens: 8 } }),
    usage: told({ input: 8 }),
  },
  {
    name: 'a response of the responses API', contentType: 'application/json',
    body: JSON.stringify({ id: 'resp_1', object: 'response', status: 'completed', output, usage: responsesUsage, user: null }),
    usage: told({ input: 328, output: 52, cachedInput: 256, cacheWrite: 64 }),
  },
  ...(['completed', 'incomplete', 'failed'] as const).map((status): TokenResponse => ({
    name: `a stream of the responses API that ends ${status}`, contentType: SSE,
    body: named(
      { type: 'response.created', response: { id: 'resp_1', usage: null } },
      { type: 'response.output_text.delta', item_id: 'msg_1', delta: trap },
      { type: 'response.function_call_arguments.delta', delta: '{"usage":' },
      { type: 'response.output_text.delta', delta: '' },
      { type: 'response.output_text.done', text: trap },
      { type: `response.${status}`, response: { id: 'resp_1', output, usage: responsesUsage } },
    ),
    usage: told({ input: 328, output: 52, cachedInput: 256, cacheWrite: 64, deltas: 2 }),
  })),
  {
    name: 'a message of Anthropic', contentType: 'application/json',
    body: JSON.stringify({
      id: 'msg_1', type: 'message', role: 'assistant',
      content: [{ type: 'text', text: trap }, { type: 'tool_use', name: 'usage', input: { usage: { input_tokens: 5, output_tokens: 5 } } }],
      usage: {
        input_tokens: 21, cache_creation_input_tokens: 188, cache_read_input_tokens: 1500, cache_creation: { ephemeral_5m_input_tokens: 188 },
        output_tokens: 393, server_tool_use: { web_search_requests: 1 }, iterations: [{ input_tokens: 9, output_tokens: 9 }],
      },
    }),
    usage: told({ input: 1709, output: 393, cachedInput: 1500, cacheWrite: 188 }),
  },
  {
    name: 'a streamed message of Anthropic', contentType: SSE,
    body: named(
      {
        type: 'message_start',
        message: { id: 'msg_1', content: [], usage: { input_tokens: 25, cache_creation_input_tokens: 10, cache_read_input_tokens: 100, output_tokens: 1 } },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'EqQB' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: trap } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '' } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"usage": {"output_tokens": 1' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 15 } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 31, input_tokens: 25, cache_read_input_tokens: null } },
      { type: 'message_stop' },
    ),
    usage: told({ input: 135, output: 31, cachedInput: 100, cacheWrite: 10, deltas: 3 }),
  },
  {
    name: 'a streamed message of Anthropic that breaks off', contentType: SSE,
    body: named(
      { type: 'message_start', message: { usage: { input_tokens: 25, output_tokens: 1 } } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hello' } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: ' you' } },
    ),
    usage: { ...nothing, input: 25, output: 1, deltas: 2 },
  },
  {
    name: 'usage under the names of both providers', contentType: 'application/json',
    body: JSON.stringify({ usage: { prompt_tokens: 90, input_tokens: 0, cache_read_input_tokens: 40, completion_tokens: 4, prompt_tokens_details: null } }),
    usage: told({ input: 90, output: 4, cachedInput: 40 }),
  },
  {
    name: 'events in every form the standard allows', contentType: 'TEXT/Event-Stream',
    body: [
      '\uFEFFdata:{"choices":[{"delta":{"content":"a"}}]}\r\r',
      ': data: {"usage":{"prompt_tokens":1,"completion_tokens":1}}\r\n\r\n',
      'database: {"usage":{"prompt_tokens":2}}\n data: {"usage":{"prompt_tokens":2}}\nDATA: {"usage":{"prompt_tokens":2}}\n\n',
      'data\ndata:\ndata: {"us\ndata: age":{"prompt_tokens":3}}\n\n',
      'retry: 10\r\nid: 1\r\ndata: {"usage":\r\ndata:{"prompt_tokens": 4\r\ndata: ,\r\ndata:   "completion_tokens":5}}\r\n\r\n',
      'data: {"choices":[{"delta":{"content":"b"}}]}',
    ].join(''),
    usage: told({ input: 4, output: 5, deltas: 2 }),
  },
]
