import { memoryStore } from '@farebox/core'
import { testStore } from './store.js'

testStore('memoryStore', (now) => memoryStore({ now }))
