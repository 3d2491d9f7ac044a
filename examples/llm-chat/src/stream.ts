import { setTimeout as sleep } from 'node:timers/promises'
import { piecesOf, type Completion } from './model.js'

/** How long the model thinks about a token, ms. */
const MS_A_TOKEN = 1

/** A completion as OpenAI streams it, an event a token; last what it used, where that was asked for. */
export async function* eventsOf(completion: Completion, about: object, usage: object | undefined): AsyncGenerator<string> {
  const chunk = (choices: readonly object[], told: object | null = null) =>
    `data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', choices, ...(usage && { usage: told }) })}\n\n`
  const choice = (delta: object, finish_reason: string | null = null) => [{ index: 0, delta, finish_reason }]

  yield chunk(choice({ role: 'assistant', content: '' }))
  for (const content of piecesOf(completion)) {
    await sleep(MS_A_TOKEN)
    yield chunk(choice({ content }))
  }
  yield chunk(choice({}, completion.finish))
  if (usage) yield chunk([], usage)
  yield 'data: [DONE]\n\n'
}
