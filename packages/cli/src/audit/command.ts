import { countKeys, readPartitions } from '@farebox/redis/inspect'
import type { Command } from 'commander'
import type { Cluster, Redis } from 'ioredis'
import { withRedis, type Options } from '../connection.js'
import { EXIT, plain, print } from '../output.js'
import { UsageError } from '../values.js'
import { confirm } from './confirm.js'
import { audit, type Located } from './audit.js'
import { MEANING, type Finding, type Repair } from './finding.js'
import { progress } from './progress.js'
import { repair } from './repair.js'

interface AuditOptions extends Options {
  readonly repair?: true
  readonly yes?: true
}

export function addAudit(program: Command): void {
  program.command('audit').description('checks every account against its ledger entries; exits with 1 where something is wrong')
    .option('--repair', 'then puts right what follows from the entries and the open reservations')
    .option('--yes', 'repairs without asking')
    .action((_, command: Command) => {
      const { repair, yes } = command.optsWithGlobals<AuditOptions>()
      if (repair && !yes && !process.stdin.isTTY) throw new UsageError('--repair: there is no terminal to ask on; add --yes')
      return withRedis(command, (redis, options) => run(redis, { ...options, ...(repair && { repair }), ...(yes && { yes }) }))
    })
}

async function run(redis: Redis | Cluster, options: AuditOptions): Promise<void> {
  const startedAt = performance.now()
  const { counts, damaged } = await look(redis, options)
  const mended = damaged.size > 0 && (options.yes || await confirm(`Repair ${damaged.size} ${damaged.size === 1 ? 'account' : 'accounts'}?`))
    ? await mend(redis, damaged, options)
    : { repaired: 0, left: counts.findings }
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  print(options.json, { summary: { ...counts, ...(options.repair && mended), seconds } }, () =>
    `${counts.accounts} accounts checked in ${seconds} s, ${counts.findings} findings${options.repair ? `, ${mended.repaired} repaired, ${mended.left} left` : ''}`)
  if (mended.left > 0) process.exitCode = EXIT.found
}

/** Shows what is wrong, and keeps it by account where it is to be repaired. */
async function look(redis: Redis | Cluster, { prefix, json, repair }: AuditOptions) {
  const partitions = await readPartitions(redis, prefix)
  if (partitions === undefined) throw new UsageError(`there is nothing of Farebox under the prefix "${prefix}"`)
  const bar = progress(await countKeys(redis))
  const counts = { accounts: 0, findings: 0 }
  const damaged = new Map<string, Located[]>()
  try {
    for await (const { accounts, findings, scanned } of audit(redis, prefix, partitions)) {
      counts.accounts += accounts
      counts.findings += findings.length
      if (findings.length > 0) bar.clear()
      for (const located of findings) {
        const { finding, key: { accountKey } } = located
        print(json, finding, () => textOf(finding))
        if (repair) damaged.set(accountKey, [...damaged.get(accountKey) ?? [], located])
      }
      bar.show(scanned, counts)
    }
  } finally {
    bar.stop()
  }
  return { counts, damaged }
}

/** Repairs account by account, and shows what became of each finding. */
async function mend(redis: Redis | Cluster, damaged: ReadonlyMap<string, readonly Located[]>, { json }: Options) {
  const counts = { repaired: 0, left: 0 }
  for (const findings of damaged.values()) {
    for (const outcome of await repair(redis, findings)) {
      counts[outcome.kind]++
      print(json, documentOf(outcome), () => outcomeOf(outcome))
    }
  }
  return counts
}

function textOf(finding: Finding): string {
  const { check, expected, found } = finding
  return `${subjectOf(finding)}: expected ${plain(String(expected))}, found ${plain(String(found))} – ${MEANING[check]}`
}

function documentOf({ account, check, at, ...outcome }: Repair) {
  const about = { account, check, ...(at !== undefined && { at }) }
  if (outcome.kind === 'repaired') return { repaired: { ...about, before: outcome.found, after: outcome.expected } }
  const { expected, found, why } = outcome
  return { left: { ...about, expected, found, why } }
}

function outcomeOf(outcome: Repair): string {
  const { expected, found } = outcome
  return outcome.kind === 'left'
    ? `${subjectOf(outcome)}: not repaired – ${plain(outcome.why)}`
    : `${subjectOf(outcome)}: repaired, ${plain(String(found))} → ${plain(String(expected))}`
}

function subjectOf({ account, check, at }: Finding): string {
  return `${plain(account)}  ${check}${at === undefined ? '' : ` (${plain(at)})`}`
}
