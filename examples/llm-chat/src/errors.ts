import type { Middleware } from 'koa'
import { ZodError } from 'zod'

/** An error as OpenAI's clients expect it. */
function openAiError(message: string, param: string | null = null, type = 'invalid_request_error') {
  return { error: { message, type, param, code: null } }
}

/** What a stream breaks off with when its client leaves. */
const LEFT = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'EPIPE', 'ECONNRESET'])

/** Logs what went wrong here; that a client left is no error. */
export function logError(error: NodeJS.ErrnoException): void {
  if (!LEFT.has(error.code ?? '')) console.error(error)
}

/** Answers what the handlers and the body parser throw. */
export const onError: Middleware = async (ctx, next) => {
  try {
    await next()
  } catch (error) {
    const { status = 500, message } = error instanceof ZodError ? { status: 400, message: 'invalid input' } : (error as { status?: number; message: string })
    ctx.status = status
    ctx.body = status < 500 ? openAiError(message) : openAiError('something broke', null, 'server_error')
    if (status >= 500) ctx.app.emit('error', error, ctx)
  }
}
