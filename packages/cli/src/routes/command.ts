import { reportText, type RouteReport } from '@farebox/core'
import type { Command } from 'commander'
import type { Options } from '../connection.js'
import { EXIT } from '../output.js'
import { loadApp } from './load-app.js'
import { visit } from './visit.js'

export function addRoutes(program: Command): void {
  program.command('routes <module>').description('what an app sells, and what it gives away: imports its module, which exports the app as `app` and its billing as `bill`; exits with 1 where something is wrong')
    .action((file: string, _, command: Command) => visit(async (print) => {
      const { json } = command.optsWithGlobals<Options>()
      const { app, bill } = await loadApp(file)
      const report = bill.routes(app)
      print(json ? JSON.stringify(report) : reportText(report))
      process.exitCode = isClean(report) ? EXIT.ok : EXIT.found
      return bill
    }))
}

/** What the app's own process would warn of. */
function isClean({ unmatched, before, opaque }: RouteReport): boolean {
  return [unmatched, before, opaque].every((faults) => faults.length === 0)
}
