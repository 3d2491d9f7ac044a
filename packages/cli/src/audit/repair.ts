import { readAccount, writeFigures, type StoredAccount, type StoredKey } from '@farebox/redis/inspect'
import type { Cluster, Redis } from 'ioredis'
import { addUp, unreadable, type Located } from './audit.js'
import { faultsOf, type Fault } from './checks.js'
import type { Check, Finding, Repair } from './finding.js'
import { rebuild } from './rebuild.js'
import { Tally } from './tally.js'

/** How often an account that is in use is read again, because it has changed before its figures could be written. */
const ATTEMPTS = 1_000

/** Why what is still there after a repair is not put right. */
const WHY: Readonly<Partial<Record<Check, string>>> = {
  entries: 'entries are never changed',
  grants: 'it is not what its entry says, or it has none',
  refunds: 'entries do not say which refund it was, and what was given back stays so',
  partition: 'it may not be the only one: move it by hand, or delete it',
  readable: 'what it was is not known',
}

/** Puts right what was found of one account, in one step, and says what became of each finding. */
export async function repair(redis: Redis | Cluster, found: readonly Located[]): Promise<readonly Repair[]> {
  const { key } = found[0]!
  const findings = found.map(({ finding }) => finding)
  if (key.partition !== key.rightPartition) return findings.map((finding) => left(finding, WHY.partition!))
  const { mended, faults, why } = await repairAccount(redis, key)
  const { account } = key
  const isLeft = (finding: Finding) => (finding.check === 'orphan' ? why !== undefined : faults.some((fault) => isSame(fault, finding)))
  return [
    ...findings.filter((finding) => !isLeft(finding)).map((finding) => ({ ...finding, ...mended.find((fault) => isSame(fault, finding)), kind: 'repaired' as const })),
    ...findings.filter((finding) => finding.check === 'orphan' && isLeft(finding)).map((finding) => left(finding, why!)),
    ...faults.map((fault) => left({ account, ...fault }, why ?? WHY[fault.check] ?? 'it is new: audit again')),
  ]
}

interface Outcome {
  /** What was wrong when its figures were written. */
  readonly mended: readonly Fault[]
  /** What is wrong afterwards, and why where nothing could be written. */
  readonly faults: readonly Fault[]
  readonly why?: string
}

async function repairAccount(redis: Redis | Cluster, key: StoredKey): Promise<Outcome> {
  let tally = new Tally(new Set())
  let faults: readonly Fault[] = []
  let mended: readonly Fault[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await read(redis, key, tally)
    if ('fault' in stored) return { mended, faults: [stored.fault], why: WHY.readable! }
    if (tally.missed) {
      tally = new Tally(tally.refunded)
      continue
    }
    faults = faultsOf(stored, tally)
    const rebuilt = rebuild(stored, tally)
    // Of an account that is gone there is nothing to be wrong.
    if (rebuilt.kind === 'impossible') return { mended, faults: Object.keys(stored.fields).length === 0 ? [] : faults, why: rebuilt.why }
    if (Object.keys(rebuilt.figures).length === 0) return { mended, faults }
    if (await writeFigures(redis, key, stored, rebuilt.figures)) mended = faults
  }
  return { mended, faults, why: 'the account changed all the time: repair it again' }
}

/** Reads an account, and adds up those entries that are new. */
async function read(redis: Redis | Cluster, key: StoredKey, tally: Tally): Promise<StoredAccount | { readonly fault: Fault }> {
  try {
    const stored = await readAccount(redis, key, tally.entries)
    await addUp(stored, tally)
    return stored
  } catch (error) {
    return { fault: unreadable(error) }
  }
}

function isSame(a: Fault, b: Fault): boolean {
  return a.check === b.check && a.at === b.at
}

function left(finding: Finding, why: string): Repair {
  return { ...finding, kind: 'left', why }
}
