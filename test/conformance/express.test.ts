import express from 'express'
import { expressApps } from '../support/apps/express.js'
import { testAdapter } from './adapter.js'

testAdapter('Express 5', expressApps(express))
