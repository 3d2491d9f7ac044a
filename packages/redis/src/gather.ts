export interface Gatherer<Item> {
  add(item: Item): void
  /** Resolves when all that was added has been dealt with. */
  drain(): Promise<unknown>
}

/**
 * Gathers items and hands them on in lots. An item that comes when nothing is under way goes at the end of this
 * tick; while something is, items of the same turn of the event loop wait for each other.
 *
 * @param most items a lot
 * @param handOn deals with a lot; never rejects
 */
export function gather<Item>(most: number, handOn: (lot: Item[]) => Promise<void>): Gatherer<Item> {
  const underWay = new Set<Promise<void>>()
  let items: Item[] = []
  let scheduled = false

  function flush(): void {
    scheduled = false
    if (items.length === 0) return
    const lot = handOn(items).finally(() => underWay.delete(lot))
    underWay.add(lot)
    items = []
  }

  return {
    add(item) {
      items.push(item)
      if (items.length >= most) flush()
      else if (!scheduled) {
        scheduled = true
        if (underWay.size === 0) process.nextTick(flush)
        else setImmediate(flush)
      }
    },
    drain() {
      flush()
      return Promise.all(underWay)
    },
  }
}
