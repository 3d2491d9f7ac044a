import { describe, expect, it } from 'vitest'
import { CallMeter } from '../src/billing/call/call-meter.js'
import { metered } from '../src/billing/prices/metered.js'
import { meter } from '../src/meter.js'
import { setUp } from './requests.js'

describe('the meter of a call', () => {
  it('counts units, and each value of a unit once', () => {
    const counted = new CallMeter(10, { domain: 1 })
    counted.count('attempt', 2)
    counted.count('attempt', 0.5)
    for (const domain of ['a', 'b', 'a']) counted.unique('domain', domain)
    counted.unique('page', 'a')
    expect(counted.counts).toEqual({ attempt: 2.5, domain: 2, page: 1 })
  })

  it('knows what is left of the ceiling at the route\'s rates; a unit without one costs nothing', () => {
    const counted = new CallMeter(3, { domain: 1 })
    counted.count('domain', 2)
    for (const unit of ['attempt', 'toString', '__proto__']) counted.count(unit, 100)
    expect(counted.remaining()).toBe(1)
    expect(counted.signal.aborted).toBe(false)
    counted.count('domain', 5)
    expect(counted.remaining()).toBe(0)
  })

  it('aborts its signal once the ceiling is used up, binary fractions or not', () => {
    const counted = new CallMeter(1, { domain: 0.1 })
    for (let i = 0; i < 9; i++) counted.count('domain', 1)
    expect(counted.signal.aborted).toBe(false)
    counted.count('domain', 1)
    expect(counted.signal.aborted).toBe(true)
  })
})

describe('from anywhere below a handler', () => {
  const prices = { 'POST /run': { product: 'runs', ...metered({ rates: { domain: 1, attempt: 0 }, ceiling: () => ({ domain: 5 }) }) } }
  const lookUp = async (domain: string) => {
    await Promise.resolve()
    meter.unique('domain', domain)
    meter.count('attempt')
  }

  it('a call counts its own, beside others, and is charged by it', async () => {
    const { enter } = setUp({ prices })
    const [a, b] = [await enter('POST /run'), await enter('POST /run')]
    const remaining = await Promise.all([
      a.exchange.run(async () => {
        await Promise.all(['x', 'y', 'x'].map(lookUp))
        return meter.remaining()
      }),
      b.exchange.run(async () => {
        await lookUp('x')
        return meter.remaining()
      }),
    ])
    expect(remaining).toEqual([3, 4])
    const charged = await Promise.all([a, b].map(async ({ exchange }) => (await exchange.close({ status: 200 })).headers['Credits-Charged']))
    expect(charged).toEqual(['2', '1'])
  })

  it('its signal tells a handler to stop; one that goes on pays the ceiling and no more', async () => {
    const { enter, names, standing } = setUp({ prices })
    const { exchange } = await enter('POST /run')
    const stopped = exchange.run(() => {
      const { signal } = meter
      meter.count('domain', 7)
      return signal.aborted
    })
    expect(stopped).toBe(true)
    expect((await exchange.close({ status: 200 })).headers['Credits-Charged']).toBe('5')
    expect(names()).toEqual(['admitted', 'clamped', 'settled'])
    expect(await standing()).toEqual({ balance: 5, reserved: 0 })
  })

  it('outside of a call it does nothing', () => {
    meter.count('domain')
    meter.unique('domain', 'a')
    expect(meter.remaining()).toBe(Infinity)
    expect(meter.signal.aborted).toBe(false)
  })

  it.each([-1, NaN, '1', null])('a quantity of %s is refused, in a call and outside', (quantity) => {
    expect(() => meter.count('domain', quantity as number)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }))
  })
})

it('a `used` that forgets to return is broken, and costs the price: it does not fall back to what was counted', async () => {
  const prices = { 'POST /run': { product: 'runs', ...metered({ rates: { domain: 1 }, ceiling: () => ({ domain: 5 }), used: (() => undefined) as never }) } }
  const { enter, errors } = setUp({ prices })
  const { exchange } = await enter('POST /run')
  expect((await exchange.close({ status: 200 })).headers['Credits-Charged']).toBe('5')
  expect(errors).toHaveLength(1)
})
