import express from 'express'
import express4 from 'express4'
import { expressApps } from '../support/apps/express.js'
import { testAdapter } from './adapter.js'

testAdapter('Express 5', expressApps(express))
// The two versions' types differ where the suite does not look.
testAdapter('Express 4', expressApps(express4 as unknown as typeof express))
