export * from './ledger/apply.js'
export * from './store/memory.js'
