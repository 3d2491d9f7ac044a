/**
 * A map whose `set` and `delete` return a new version and leave the old one readable, in constant time for
 * whoever uses the newest version.
 *
 * The newest version owns the real `Map`; an older version is the one change that leads back to it (the
 * rerooting scheme of H. Baker, "Shallow binding makes functional arrays fast", 1991). The ledger always
 * works on the newest version, so it stays pure without copying thousands of records for each call.
 */
export class PersistentMap<V> {
  private constructor(private place: Root<V> | Diff<V>) {}

  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>({ map: new Map() })
  }

  static of<V>(entries: Iterable<readonly [string, V]>): PersistentMap<V> {
    return new PersistentMap<V>({ map: new Map(entries) })
  }

  get size(): number {
    return this.reroot().size
  }

  get(key: string): V | undefined {
    return this.reroot().get(key)
  }

  set(key: string, value: V): PersistentMap<V> {
    const map = this.reroot()
    // The empty map stays as it is: every account begins with it, and they must not become versions of one another.
    if (map.size === 0) return PersistentMap.of([[key, value]])
    const next = new PersistentMap<V>({ map })
    this.place = { next, key, value: map.get(key) }
    map.set(key, value)
    return next
  }

  delete(key: string): PersistentMap<V> {
    const map = this.reroot()
    if (!map.has(key)) return this
    const next = new PersistentMap<V>({ map })
    this.place = { next, key, value: map.get(key) }
    map.delete(key)
    return next
  }

  /** The entries of this version. A copy, so the caller may go on changing the map while it reads them. */
  entries(): [string, V][] {
    return [...this.reroot()]
  }

  /** Makes this version the newest, turning round the changes between it and the one that was. */
  private reroot(): Map<string, V> {
    if ('map' in this.place) return this.place.map
    const path: PersistentMap<V>[] = [this]
    for (let at = this.place.next; ; at = at.place.next) {
      if ('map' in at.place) return this.replay(path, at, at.place.map)
      path.push(at)
    }
  }

  private replay(path: PersistentMap<V>[], newest: PersistentMap<V>, map: Map<string, V>): Map<string, V> {
    let from = newest
    for (const version of path.reverse()) {
      const { key, value } = version.place as Diff<V>
      from.place = { next: version, key, value: map.get(key) }
      if (value === undefined) map.delete(key)
      else map.set(key, value)
      version.place = { map }
      from = version
    }
    return map
  }
}

interface Root<V> {
  readonly map: Map<string, V>
}

/** "I am `next`, except that `key` is `value`" (`undefined`: absent). */
interface Diff<V> {
  readonly next: PersistentMap<V>
  readonly key: string
  readonly value: V | undefined
}
