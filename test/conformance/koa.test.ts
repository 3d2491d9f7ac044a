import { koaApps } from '../support/apps/koa.js'
import { testAdapter } from './adapter.js'

testAdapter('Koa', koaApps)
