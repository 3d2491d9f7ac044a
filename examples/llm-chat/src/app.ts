import { bodyParser } from '@koa/bodyparser'
import { Router } from '@koa/router'
import { billing, type Store } from '@farebox/koa'
import { apiKeyOf } from 'example-support'
import Koa from 'koa'
import { chatCompletions } from './chat.js'
import { logError, onError } from './errors.js'
import { prices } from './prices.js'
import { simulate } from './simulate.js'

/** The API, sold by the token. */
export function createApp({ store, allowance }: { readonly store: Store; readonly allowance: number }) {
  const bill = billing({ account: (ctx) => apiKeyOf((name) => ctx.get(name)), store, allowance, prices })
  const router = new Router().post('/v1/chat/completions', simulate, chatCompletions)
  const app = new Koa().on('error', logError)
  app.use(onError)
  app.use(bodyParser())
  app.use(bill)
  app.use(router.routes())
  return { app, bill }
}
