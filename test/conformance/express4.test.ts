import type express from 'express'
import express4 from 'express4'
import { expressApps } from '../support/apps/express.js'
import { testAdapter } from './adapter.js'

// The two versions' types differ where the suite does not look.
testAdapter('Express 4', expressApps(express4 as unknown as typeof express))
