/** What is written is not what a store writes. */
export class UnreadableError extends Error {}
