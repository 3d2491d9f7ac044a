import { Redis } from 'ioredis'
import { describe, expect, inject, test } from 'vitest'
import { assemble, whenAsked, within } from '../scripts/assemble.js'
import { check, checkScript, contract } from '../scripts/contract.js'

const release = `-- release: ends a reservation at zero
-- KEYS: journal
-- ARGV: id ttlMs
-- reply: released ceiling balance
-- reply: gone

-- free(id): lets it go
local function free(id)
  return tonumber(id) -- a number
end

commands.release = function()
  journal = key('journal')
  local id, ttl = text('id'), number('ttlMs')
  if free(id) == ttl then return 'gone' .. '' end
  return 'released ' .. id .. ' ' .. balance
end
`.replace("'gone' .. ''", "'gone\\n'")

const faultsOf = (source: string) => check(contract(source), new Set(['key', 'text', 'number']))

describe('the contract of a Lua file', () => {
  test('is read from its comments, which are not embedded', () => {
    expect(contract(release)).toMatchObject({
      command: 'release', keys: ['journal'], args: ['id', 'ttlMs'], replies: [['released', ['ceiling', 'balance']], ['gone', []]],
    })
    expect(contract(release).code).not.toContain('--')
  })
  test('holds', () => expect(faultsOf(release)).toEqual([]))
  test('counts the parts of a reply over several lines', () => {
    expect(faultsOf(release.replace("id .. ' ' .. balance", "id\n    .. ' ' .. balance"))).toEqual([])
    expect(faultsOf(release.replace("id .. ' ' .. balance", "id\n    .. ' ' .. balance .. ' ' .. more"))).toContain('a reply released of 3 is made, but not in the header')
  })

  test.each([
    ['an argument in another place', 'ARGV: id ttlMs', 'ARGV: ttlMs id', 'ARGV says "ttlMs id", the code reads "id ttlMs"'],
    ['an argument that nobody reads', 'ARGV: id ttlMs', 'ARGV: id ttlMs more', 'ARGV says "id ttlMs more", the code reads "id ttlMs"'],
    ['a key that it does not name', 'KEYS: journal', 'KEYS:', 'KEYS says "", the code reads "journal"'],
    ['a command that names none', /-- KEYS.*\n-- ARGV.*\n/, '', 'a command without KEYS and ARGV'],
    ['a reply of another length', 'reply: released ceiling balance', 'reply: released ceiling', 'no reply released of 1 is made, though the header has it'],
    ['a reply that it does not name', '-- reply: gone\n', '', 'a reply gone of 0 is made, but not in the header'],
    ['other parameters', 'free(id): lets', 'free(account): lets', 'no function free(account)'],
    ['a function that is not there', 'if free(id)', 'if fere(id)', 'unknown function fere'],
  ])('is broken by %s', (_, from, to, fault) => {
    expect(faultsOf(release.replace(from, to))).toContain(fault)
  })
})

const files = (sources: Record<string, string>) => new Map(Object.entries(sources).map(([name, source]) => [name, contract(source)]))

describe('a script of several files', () => {
  const sources = {
    account: 'local rarely = {}\nlocal function put()\n  return 1\nend',
    flush: 'local function flush()\n  return rarely.sweep()\nend',
    sweep: '-- over(): whether it is\nlocal function over()\n  return put()\nend\n-- rarely.sweep(): lets go\nfunction rarely.sweep()\n  return over()\nend',
    program: 'return flush()',
  }
  const parts = ['account', within('flush', whenAsked('rarely', 'sweep'), 'program')]

  test('may use a field of a table before it is made', () => expect(checkScript(parts, files(sources))).toEqual([]))
  test.each([
    ['a function of the part that is made later', { program: 'return over()' }, 'program.lua: unknown function over'],
    ['a field that nobody makes', { flush: 'local function flush()\n  return rarely.swept()\nend' }, 'flush.lua: unknown function rarely.swept'],
    ['a field with other parameters', { sweep: '-- rarely.sweep(id): lets go\nfunction rarely.sweep()\n  return put()\nend' }, 'sweep.lua: no function rarely.sweep(id)'],
  ])('is broken by %s', (_, change, fault) => {
    expect(checkScript(parts, files({ ...sources, ...change }))).toEqual([fault])
  })

  test('makes what is rare once, when it is asked for', async () => {
    const redis = new Redis(inject('redisUrl'))
    const run = (program: string) => redis.eval(assemble(parts, files({
      ...sources, account: `local made = 0\n${sources.account}`, sweep: `made = made + 1\n${sources.sweep}`, program,
    })), 0)
    expect(await run('return made')).toBe(0)
    expect(await run('return { flush(), flush(), made }')).toEqual([1, 1, 1])
    await expect(run('return rarely.swept()')).rejects.toThrow("field 'swept'")
    await redis.quit()
  })
})
