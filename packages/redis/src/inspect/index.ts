/** Looks at what a store has written, past the store, and puts figures right: for audits. */
export { readAccount, type StoredAccount } from './account.js'
export { countKeys, readPartitions, scanKeys, type KeyPage, type StoredKey } from './keys.js'
export { writeFigures, type Figures } from './figures.js'
export { UnreadableError } from './unreadable.js'
