import type { ExecutionContext } from 'hono'
import { createApp } from './app.js'

interface Bindings {
  readonly ALLOWANCE: string
}

let app: ReturnType<typeof createApp>['app'] | undefined

/** What workerd runs. Its settings come with a request, so the app is made at the first one. */
export default {
  fetch(request: Request, env: Bindings, context: ExecutionContext) {
    app ??= createApp(Number(env.ALLOWANCE)).app
    return app.fetch(request, env, context)
  },
}
