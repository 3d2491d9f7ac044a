import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PersistentMap } from '../src/ledger/persistent-map.js'

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')

/** A step makes a new version out of any earlier one, so that versions branch. */
const step = fc.record({ from: fc.nat(), key, value: fc.option(fc.integer(), { nil: undefined }) })

it('every version, old or new, reads as the Map it stands for', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 20 }), (steps, reads) => {
    const versions = [{ map: PersistentMap.empty<number>(), model: new Map<string, number>() }]
    for (const { from, key, value } of steps) {
      const { map, model } = versions[from % versions.length]!
      const copy = new Map(model)
      if (value === undefined) copy.delete(key)
      else copy.set(key, value)
      versions.push({ map: value === undefined ? map.delete(key) : map.set(key, value), model: copy })
    }
    for (const read of [...reads, ...versions.keys()]) {
      const { map, model } = versions[read % versions.length]!
      expect(map.size).toBe(model.size)
      for (const key of 'abcde') expect(map.get(key)).toBe(model.get(key))
      expect(new Map(map.entries())).toEqual(model)
    }
  }))
})

it('begins with the entries it is given, and does not follow them', () => {
  const entries = new Map([['a', 1]])
  const map = PersistentMap.of(entries)
  entries.set('b', 2)
  expect(map.entries()).toEqual([['a', 1]])
})

it('deleting what is not there is the same version', () => {
  const map = PersistentMap.empty<number>().set('a', 1)
  expect(map.delete('b')).toBe(map)
})

it('can be changed while its entries are read', () => {
  let map = PersistentMap.of([['a', 1], ['b', 2], ['c', 3]])
  for (const [key] of map.entries()) map = map.delete(key)
  expect(map.size).toBe(0)
})
