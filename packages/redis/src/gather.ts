/**
 * Gathers items and hands them on in lots. An item that comes when nothing is under way goes at the end of this
 * tick; while something is, items of the same turn of the event loop wait for each other.
 */
export function gather<Item>(most: number, handOn: (items: Item[]) => Promise<void>): Gatherer<Item> {
  let items: Item[] = []
  let underWay = 0
  let scheduled = false

  function flush(): void {
    scheduled = false
    if (items.length === 0) return
    const lot = items
    items = []
    underWay++
    void handOn(lot).finally(() => underWay--)
  }

  return {
    add(item) {
      items.push(item)
      if (items.length >= most) flush()
      else if (!scheduled) {
        scheduled = true
        if (underWay === 0) process.nextTick(flush)
        else setImmediate(flush)
      }
    },
    flush,
  }
}

export interface Gatherer<Item> {
  add(item: Item): void
  flush(): void
}
