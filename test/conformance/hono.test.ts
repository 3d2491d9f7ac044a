import { honoApps } from '../support/apps/hono.js'
import { testAdapter } from './adapter.js'

testAdapter('Hono', honoApps)
