import { accounts, type Accounts, type EntriesOptions, type Entry, type GrantOptions, type RefundOptions } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { readPartitions } from '@farebox/redis/inspect'
import type { Command } from 'commander'
import { withRedis, type Options } from './connection.js'
import { EXIT, plain, print, table } from './output.js'
import { number, time, UsageError } from './values.js'

/** How long a command waits for an answer, in ms: nobody's request waits behind it. */
const STORE_TIMEOUT = 5_000

export function addAccountCommands(program: Command): void {
  const account = program.command('account').description('looks at one account, and changes it')

  account.command('show <account>').description('how an account stands, in credits')
    .action((name: string, _, command: Command) => withAccounts(command, async (ledger, { json }) => {
      const { balance, reserved, available } = await ledger.balance(name)
      print(json, { account: name, balance, reserved, available }, () =>
        table([['account', plain(name)], ['balance', `${balance}`], ['reserved', `${reserved}`], ['available', `${available}`]]))
    }))

  account.command('grant <account> <credits>').description('adds credits')
    .requiredOption('--id <id>', 'the same id again adds nothing')
    .requiredOption('--reason <text>', 'what its entry says')
    .option('--source <text>', 'what it is: top-up (the default), promotion, …')
    .option('--priority <n>', 'the lower, the earlier its credits are used (default 50)', number('priority'))
    .option('--expires-at <date>', 'when what is left of it ends: 2027-01-31, or 2027-01-31T12:00Z', time('expires-at'))
    .action((name: string, credits: string, options: GrantOptions, command: Command) => withAccounts(command, async (ledger, { json }) => {
      const outcome = await ledger.grant(name, number('credits')(credits), grantOptions(options))
      if (outcome.kind !== 'granted') process.exitCode = EXIT.found
      print(json, { account: name, ...outcome }, () => `${GRANTED[outcome.kind](outcome.replayed)}; available ${outcome.available}`)
    }, { writes: true }))

  account.command('refund <account> <reservation>').description('gives back of what a call was charged')
    .requiredOption('--id <id>', 'the same id again gives nothing back')
    .requiredOption('--reason <text>', 'what its entry says')
    .option('--credits <n>', 'how much (default: all that is left of the charge)', number('credits'))
    .action((name: string, reservation: string, { id, reason, credits }: RefundOptions, command: Command) => withAccounts(command, async (ledger, { json }) => {
      const outcome = await ledger.refund(name, reservation, { id, reason, ...(credits !== undefined && { credits }) })
      if (outcome.kind !== 'refunded') process.exitCode = EXIT.found
      print(json, { account: name, ...outcome }, () => `${REFUNDED[outcome.kind](outcome.refunded, outcome.replayed)}; available ${outcome.available}`)
    }))

  account.command('entries <account>').description('its movements, the oldest first')
    .option('--after <id>', 'the last entry that is known')
    .option('--limit <n>', 'at most so many, up to 1,000 (default 100)', number('limit'))
    .action((name: string, { after, limit }: EntriesOptions, command: Command) => withAccounts(command, async (ledger, { json }) => {
      const page = await ledger.entries(name, { ...(after !== undefined && { after }), ...(limit !== undefined && { limit }) })
      if (json) for (const entry of page) console.log(JSON.stringify(entry))
      else console.log(page.length === 0 ? 'no entries' : table([['id', 'at', 'kind', 'credits', 'balance', 'reference', 'label', 'shortfall'], ...page.map(cells)]))
    }))
}

const GRANTED = {
  granted: (replayed: boolean) => (replayed ? 'granted before under this id: nothing added' : 'granted'),
  grant_conflict: () => 'not granted: another amount was granted under this id',
  grant_overflow: () => 'not granted: the balance would be more than can be counted',
}

const REFUNDED = {
  refunded: (credits: number, replayed: boolean) => (replayed ? `refunded ${credits} before under this id: nothing more given back` : `refunded ${credits}`),
  refund_overflow: () => 'not refunded: the balance would be more than can be counted',
  refund_conflict: () => 'not refunded: another amount was given back under this id',
  refund_too_high: () => 'not refunded: that is more than what is left of the charge',
  no_charge: () => 'not refunded: this reservation was charged nothing',
}

/** Only what was given, and not the options of all commands. */
function grantOptions({ id, reason, source, priority, expiresAt }: GrantOptions): GrantOptions {
  return { id, reason, ...(source !== undefined && { source }), ...(priority !== undefined && { priority }), ...(expiresAt !== undefined && { expiresAt }) }
}

function cells({ id, at, kind, credits, balance, reference, label, shortfall }: Entry): string[] {
  return [id, new Date(at).toISOString(), kind, `${credits}`, `${balance}`, plain(reference), plain(label), `${shortfall}`]
}

async function withAccounts(command: Command, act: (ledger: Accounts, options: Options) => Promise<void>, { writes = false } = {}): Promise<void> {
  await withRedis(command, async (redis, options) => {
    const partitions = await readPartitions(redis, options.prefix)
    // Opening a store records how many there are: only a first grant may, not a look under a mistyped prefix.
    if (partitions === undefined && !writes) throw new UsageError(`there is nothing of Farebox under the prefix "${options.prefix}"`)
    const store = redisStore(redis, { prefix: options.prefix, ...(partitions !== undefined && { partitions }) })
    await act(accounts({ store, storeTimeout: STORE_TIMEOUT }), options)
    await store.close()
  })
}
