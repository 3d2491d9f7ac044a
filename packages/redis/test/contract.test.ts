import { describe, expect, test } from 'vitest'
import { check, contract } from '../scripts/contract.js'

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
