import { bodyParser } from '@koa/bodyparser'
import { Router } from '@koa/router'
import { billing, type Store } from '@farebox/koa'
import Koa from 'koa'
import { chatCompletions } from './chat.js'
import { onError } from './errors.js'
import { prices } from './prices.js'
import { simulate } from './simulate.js'

/** The API, sold by the token. */
export function createApp({ store, allowance }: { readonly store: Store; readonly allowance: number }) {
  const bill = billing({ account: (ctx) => ctx.get('x-api-key'), store, allowance, prices })
  const router = new Router().post('/v1/chat/completions', simulate, chatCompletions)
  const app = new Koa()
  app.use(onError)
  app.use(bodyParser())
  app.use(bill)
  app.use(router.routes())
  return { app, bill }
}
