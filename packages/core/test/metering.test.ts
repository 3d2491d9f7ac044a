import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Receipt } from '../src/billing/call/call.js'
import { addMetering } from '../src/http/metering.js'

const receipt: Receipt = { charge: 1_500_000, ceiling: 3_000_000, items: [], available: 0, pending: false, operation: false }
const metering = { creditsCharged: 1.5, estimatedMaxCredits: 3 }
const METERING = `"metering":${JSON.stringify(metering)}`

it.each([
  ['{}', `{${METERING}}`],
  ['{ }', `{${METERING}}`],
  ['{"a":1}', `{"a":1,${METERING}}`],
  ['{"a":1 }', `{"a":1,${METERING}}`],
  ['  {\n  "a": 1\n}\n', `  {\n  "a": 1,${METERING}}\n`],
  ['{"a":"}"}', `{"a":"}",${METERING}}`],
  ['{"a":"\\"}{"}  ', `{"a":"\\"}{",${METERING}}  `],
  ['{"a":{"metering":1}}', `{"a":{"metering":1},${METERING}}`],
  ['{"a":[{}]}', `{"a":[{}],${METERING}}`],
  ['{"id":12345678901234567890}', `{"id":12345678901234567890,${METERING}}`],
  ['{"":0}', `{"":0,${METERING}}`],
  ['{"__proto__":{}}', `{"__proto__":{},${METERING}}`],
])('%s becomes %s', (before, after) => {
  expect(addMetering(before, receipt)).toBe(after)
})

it.each(['[]', '[{}]', '5', '"{}"', 'null', 'true', '', '{', '{"a":1}}', '{"metering":{}}', '{"metering":null,"a":1}'])('%s stays as it is', (json) => {
  expect(addMetering(json, receipt)).toBeUndefined()
})

it('says that the charge is not posted yet', () => {
  expect(JSON.parse(addMetering('{}', { ...receipt, pending: true })!)).toEqual({ metering: { ...metering, pending: true } })
})

it('any object keeps every member, whatever its white space', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue()).filter((value) => !Object.hasOwn(value, 'metering'))
  fc.assert(fc.property(object, fc.constantFrom(undefined, 1, 2, '\t', ' \n'), fc.constantFrom('', ' ', '\n', '\r\n\t'), (value, indent, around) => {
    const text = around + JSON.stringify(value, null, indent) + around
    const added = addMetering(text, receipt)!
    expect(JSON.parse(added)).toEqual({ ...(JSON.parse(text) as object), metering })
    expect(added.endsWith(around)).toBe(true)
  }))
})
