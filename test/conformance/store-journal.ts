import { describe, expect, test } from 'vitest'
import { DAY, ODD_TEXTS, type Rig } from './store-rig.js'

/** The rules of the journal's way out of a store. */
export function testJournal(rig: Rig): void {
  const { clock, grant, reserve, settle, entries, exported, exportJournal, waiting, accounts, lease } = rig
  const grants = async (account: string, count: number, from = 0) => {
    for (let i = 0; i < count; i++) await grant({ account, grant: `g${from + i}`, amount: 1 })
  }
  const waitingNow = async () => (await waiting()).accounts

  describe('how far an account\'s entries have gone on to a sink', () => {
    test('is 0 in the beginning, and for an account that nobody has used', async () => {
      expect(await exported()).toEqual({ kind: 'exported', exported: 0, waiting: 0 })
      await grants('ada', 3)
      expect(await exported()).toEqual({ kind: 'exported', exported: 0, waiting: 3 })
    })
    test('only ever grows, and never beyond the entries that there are', async () => {
      await grants('ada', 3)
      expect(await exported({ upTo: 2 })).toEqual({ kind: 'exported', exported: 2, waiting: 1 })
      expect(await exported({ upTo: 1 })).toEqual({ kind: 'exported', exported: 2, waiting: 1 })
      expect(await exported({ upTo: 4 })).toEqual({ kind: 'exported', exported: 3, waiting: 0 })
      await grants('ada', 2, 3)
      expect(await exported()).toEqual({ kind: 'exported', exported: 3, waiting: 2 })
      expect((await entries({ after: '3' })).entries.map(({ id }) => id)).toEqual(['4', '5'])
    })
    test('counts the entries of what was sent on the same tick, and of what has ended by itself', async () => {
      const replies = await Promise.all([grant({ expiresAt: clock.now + 10 }), exported({ upTo: 9 }), grant({ grant: 'g2' }), exported(), exported({ upTo: 2 })])
      expect(replies.filter(({ kind }) => kind === 'exported')).toMatchObject([{ exported: 1, waiting: 0 }, { exported: 1, waiting: 1 }, { exported: 2, waiting: 0 }])
      clock.now += 10
      expect(await exported()).toEqual({ kind: 'exported', exported: 2, waiting: 1 })
    })
    test('is nothing to its balance', async () => {
      await reserve()
      await exported({ upTo: 1 })
      expect(await settle()).toMatchObject({ balance: 80, reserved: 0 })
    })
  })

  describe('the accounts that wait for the sink', () => {
    test('are none for as long as there is no sink', async () => {
      await grants('ada', 2)
      expect(await waiting()).toEqual({ kind: 'waiting', accounts: [] })
    })
    test('are those with a new entry since there is one, the oldest first, a number of them', async () => {
      expect(await exportJournal()).toEqual({ kind: 'journal_exported' })
      for (const account of ['cy', 'ada', 'bob']) {
        await grants(account, 1)
        clock.now += 1
      }
      await grants('cy', 1, 1)
      await reserve({ account: 'dan', allowance: 0 })
      expect(await waiting()).toEqual({ kind: 'waiting', accounts: ['cy', 'ada', 'bob'] })
      expect(await waiting({ limit: 2 })).toEqual({ kind: 'waiting', accounts: ['cy', 'ada'] })
    })
    test('are those of every kind of entry, once each', async () => {
      await exportJournal()
      await Promise.all([reserve(), settle(), grant({ expiresAt: clock.now + 10 })])
      expect(await waitingNow()).toEqual(['ada'])
      await exported({ upTo: 3 })
      expect(await waitingNow()).toEqual([])
      clock.now += 10
      await rig.balance()
      expect((await entries({ after: '3' })).entries.map(({ kind }) => kind)).toEqual(['expiry'])
      expect(await waitingNow()).toEqual(['ada'])
    })
    test('stay while an entry waits, behind the others once they had a turn', async () => {
      await exportJournal()
      await grants('ada', 3)
      clock.now += 1
      await grants('bob', 1)
      clock.now += 1
      await exported({ upTo: 0 })
      expect(await waitingNow()).toEqual(['ada', 'bob'])
      await exported({ upTo: 1 })
      expect(await waitingNow()).toEqual(['bob', 'ada'])
      await exported({ upTo: 3 })
      expect(await waitingNow()).toEqual(['bob'])
      clock.now += 1
      await grants('ada', 1, 3)
      expect(await waitingNow()).toEqual(['bob', 'ada'])
    })
    test('have those among them, once they are asked for, whose entries were there before', async () => {
      await grants('ada', 2)
      await exportJournal()
      expect(await waitingNow()).toEqual([])
      await exported()
      expect(await waitingNow()).toEqual(['ada'])
    })
    test('can have any name', async () => {
      await exportJournal()
      const names = ODD_TEXTS.filter((text) => text !== '')
      for (const account of names) await grants(account, 1)
      expect((await waitingNow()).toSorted()).toEqual([...names].sort())
      for (const account of names) await exported({ account, upTo: 1 })
      expect(await waitingNow()).toEqual([])
    })
    test('lose none when many are charged and exported at the same time', async () => {
      await exportJournal()
      const names = Array.from({ length: 20 }, (_, i) => `a${i}`)
      await Promise.all(Array.from({ length: 200 }, (_, i) => [
        grant({ account: names[i % 20]!, grant: `g${i}`, amount: 1 }), exported({ account: names[(i * 7) % 20]!, upTo: Math.floor(i / 20) }),
      ]).flat())
      const behind = await Promise.all(names.map(async (account) => ((await exported({ account })).waiting > 0 ? [account] : [])))
      expect((await waitingNow()).toSorted()).toEqual(behind.flat().sort())
    })
  })

  test('the accounts there are come page by page, each at least once', async () => {
    const names = [...ODD_TEXTS, ...Array.from({ length: 1_500 }, (_, i) => `a${i}`)]
    await Promise.all(names.map((account) => grant({ account })))
    const found = new Set<string>()
    let page = ''
    do {
      const { kind, accounts: some, next } = await accounts(page)
      expect(kind).toBe('accounts')
      for (const account of some) found.add(account)
      page = next
    } while (page !== '')
    expect([...found].sort()).toEqual(names.sort())
  })

  describe('a lease', () => {
    const LEASED = { kind: 'leased' }
    const NOT_LEASED = { kind: 'not_leased' }

    test('is for one owner, until its time is up', async () => {
      expect(await lease()).toEqual(LEASED)
      expect(await lease({ owner: 'b' })).toEqual(NOT_LEASED)
      clock.now += 59_999
      expect(await lease({ owner: 'b' })).toEqual(NOT_LEASED)
      clock.now += 1
      expect(await lease({ owner: 'b' })).toEqual(LEASED)
      expect(await lease()).toEqual(NOT_LEASED)
    })
    test('lasts longer when its owner asks again, or less long', async () => {
      await lease()
      clock.now += 59_999
      expect(await lease()).toEqual(LEASED)
      clock.now += 59_999
      expect(await lease({ owner: 'b' })).toEqual(NOT_LEASED)
      expect(await lease({ ttlMs: 5 })).toEqual(LEASED)
      clock.now += 5
      expect(await lease({ owner: 'b' })).toEqual(LEASED)
    })
    test('can be given back, by its owner only', async () => {
      await lease()
      expect(await lease({ owner: 'b', ttlMs: 0 })).toEqual(NOT_LEASED)
      expect(await lease({ owner: 'b' })).toEqual(NOT_LEASED)
      expect(await lease({ ttlMs: 0 })).toEqual(LEASED)
      expect(await lease({ owner: 'b' })).toEqual(LEASED)
    })
    test('is one of its own under each name, for any owner', async () => {
      for (const text of ODD_TEXTS) expect(await lease({ name: text, owner: `${text}!` })).toEqual(LEASED)
      for (const text of ODD_TEXTS) expect(await lease({ name: text, owner: text })).toEqual(NOT_LEASED)
      clock.now += DAY
      for (const text of ODD_TEXTS) expect(await lease({ name: text, owner: text })).toEqual(LEASED)
    })
    test('is the first one\'s of many who ask at the same time', async () => {
      const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => lease({ owner: `o${i}` })))
      expect(replies.map(({ kind }) => kind)).toEqual(['leased', ...Array<string>(49).fill('not_leased')])
    })
  })
}
