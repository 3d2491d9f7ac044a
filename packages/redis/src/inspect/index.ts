/** Looks at what a store has written, past the store: for audits. It only ever reads. */
export { readAccount, UnreadableError, type StoredAccount } from './account.js'
export { countKeys, readPartitions, scanKeys, type KeyPage, type StoredKey } from './keys.js'
