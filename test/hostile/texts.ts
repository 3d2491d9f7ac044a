import fc from 'fast-check'

/** What a store's keys, a Lua program, JSON or a prototype could take for something else. */
const PEOPLES = [
  '', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN', '0', '-1', '1e309', '9007199254740993', 'true',
  ':', '::', 'ada:', ':ada', 'ada:operation:x', 'allowance', 'allowance:2026-11-22', 'rollover:2026-11-22', 'auto-top-up:1', '{0}', '{1}:account:ada', 'farebox:{0}:account:ada', '}{', 'ada}', '*', '?', '[a-z]', 'ada*', '\\', '%', '%3A', '%253A', '%00', 'ada%',
  '\0', 'ada\0', '\r\n', 'ada\nreserved 1 2', 'a b', ' ada', 'ada ', 'a,b', 'a=b', 'a|b', 'a;b', '"', '\'', '`', '${x}', '{{x}}', '<script>', '../../etc', '$1', '\u2028', '\ufeff', '\u202e', 'İ', 'ß',
  'é', 'e\u0301', '\u{1f600}', '\ud800', '\udc00', 'ada\ud83d', '\udfff\ud800', '*3\r\n$3\r\nSET\r\n', 'EVAL "return 1" 0', 'a'.repeat(256), 'a'.repeat(257), 'é'.repeat(256), 'x'.repeat(100_000),
]

export const texts: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PEOPLES) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...PEOPLES), fc.constantFrom(...PEOPLES)).map(([a, b]) => a + b) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)

export const isWellFormed = (text: string) => !/\p{Surrogate}/u.test(text)

/** More for a longer search: `FAREBOX_HOSTILE_ROUNDS=20000 npx vitest run test/hostile` */
export const ROUNDS = Number(process.env['FAREBOX_HOSTILE_ROUNDS'] ?? 200)
/** A failure prints its seed: `FAREBOX_SEED=… npx vitest run test/hostile` meets it again. */
export const SEED = Number(process.env['FAREBOX_SEED'] ?? Date.now() % 2 ** 31)
