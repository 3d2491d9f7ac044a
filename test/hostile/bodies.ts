import fc from 'fast-check'

const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)

/** What a parser may choke on, read in another way than billing does, or hand on with a prototype of its own. */
const BODIES: Readonly<Record<string, () => string | Buffer>> = {
  plain: () => '{"count":2}',
  none: () => '',
  empty: () => '{}',
  array: () => '[{"count":2}]',
  text: () => '"count"',
  null: () => 'null',
  prototype: () => '{"__proto__":{"count":0},"count":2}',
  onlyPrototype: () => '{"__proto__":{"count":1}}',
  constructor: () => '{"constructor":{"prototype":{"count":1}},"count":2}',
  twice: () => '{"count":9,"count":1}',
  huge: () => '{"count":1e308}',
  infinite: () => '{"count":1e999}',
  negative: () => '{"count":-5}',
  tiny: () => '{"count":1e-320}',
  exact: () => '{"count":9007199254740993}',
  asText: () => '{"count":"2"}',
  asArray: () => '{"count":[2]}',
  asObject: () => '{"count":{"valueOf":2}}',
  lone: () => '{"count":2,"x":"\\ud800"}',
  nul: () => '{"count":2,"x":"\\u0000"}',
  rawNul: () => '{"count":2,"x":"\0"}',
  bom: () => '\ufeff{"count":2}',
  invalidUtf8: () => Buffer.from([0x7b, 0x22, 0x63, 0xff, 0xfe, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]),
  overlongKey: () => Buffer.concat([Buffer.from('{"count":2,"x":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
  utf16: () => Buffer.from('{"count":2}', 'utf16le'),
  cut: () => '{"count":2',
  deepArray: () => nested('[', ']', 20_000),
  deepObject: () => `{"count":2,"x":${'{"a":'.repeat(8_000)}1${'}'.repeat(8_000)}}`,
  manyKeys: () => `{"count":2,${Array.from({ length: 3_000 }, (_, i) => `"k${i}":${i}`).join()}}`,
  big: () => `{"count":2,"x":"${'x'.repeat(90_000)}"}`,
  tenMegabytes: () => `{"count":2,"x":"${'x'.repeat(10_000_000)}"}`,
}

type BodyName = string

export const bodyNames: fc.Arbitrary<BodyName> = fc.oneof({ weight: 1, arbitrary: fc.constant('plain') }, { weight: 4, arbitrary: fc.constantFrom(...Object.keys(BODIES).filter((name) => name !== 'tenMegabytes')) })

const TEN_MEGABYTES_EVERY = 40

/** @param round ten megabytes are sent now and then only */
export function bodyOf(name: BodyName, round: number): Buffer {
  return Buffer.from(BODIES[round % TEN_MEGABYTES_EVERY === TEN_MEGABYTES_EVERY - 1 ? 'tenMegabytes' : name]!())
}
