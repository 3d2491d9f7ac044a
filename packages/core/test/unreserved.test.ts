import { describe, expect, it } from 'vitest'
import { Unreserved } from '../src/billing/admission/unreserved.js'

describe('Unreserved', () => {
  it('lets in as much as is allowed, and what is posted again', () => {
    const unreserved = new Unreserved(10)
    expect(['a', 'b', 'c'].map((id) => unreserved.admit(id, 4))).toEqual([true, true, false])
    expect(unreserved.admit('d', 2)).toBe(true)
    expect(unreserved.admit('e', 1)).toBe(false)
    for (const id of ['another', 'a', 'a']) unreserved.posted(id)
    expect(unreserved.admit('f', 5)).toBe(false)
    expect(unreserved.admit('f', 4)).toBe(true)
  })

  it('lets nobody in where nothing is allowed, not even what costs nothing', () => {
    expect(new Unreserved(0).admit('a', 0)).toBe(false)
    expect(new Unreserved(1).admit('a', 0)).toBe(true)
  })
})
