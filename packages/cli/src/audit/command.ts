import { countKeys, readPartitions } from '@farebox/redis/inspect'
import type { Command } from 'commander'
import { withRedis } from '../connection.js'
import { EXIT, plain, print } from '../output.js'
import { UsageError } from '../values.js'
import { audit } from './audit.js'
import { MEANING, type Finding } from './finding.js'
import { progress } from './progress.js'

export function addAudit(program: Command): void {
  program.command('audit').description('checks every account against its ledger entries; exits with 1 where something is wrong')
    .action((_, command: Command) => withRedis(command, async (redis, { prefix, json }) => {
      const partitions = await readPartitions(redis, prefix)
      if (partitions === undefined) throw new UsageError(`there is nothing of Farebox under the prefix "${prefix}"`)

      const startedAt = performance.now()
      const bar = progress(await countKeys(redis))
      const counts = { accounts: 0, findings: 0 }
      try {
        for await (const { accounts, findings, scanned } of audit(redis, prefix, partitions)) {
          counts.accounts += accounts
          counts.findings += findings.length
          if (findings.length > 0) bar.clear()
          for (const finding of findings) print(json, finding, () => textOf(finding))
          bar.show(scanned, counts)
        }
      } finally {
        bar.stop()
      }
      const seconds = Math.round((performance.now() - startedAt) / 100) / 10
      print(json, { summary: { ...counts, seconds } }, () => `${counts.accounts} accounts checked in ${seconds} s, ${counts.findings} findings`)
      if (counts.findings > 0) process.exitCode = EXIT.found
    }))
}

function textOf({ account, check, at, expected, found }: Finding): string {
  return `${plain(account)}  ${check}${at === undefined ? '' : ` (${plain(at)})`}: expected ${plain(String(expected))}, found ${plain(String(found))} – ${MEANING[check]}`
}
