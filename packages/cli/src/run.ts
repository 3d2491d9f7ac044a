import { isFareboxError } from '@farebox/core'
import { UnreadableError } from '@farebox/redis/inspect'
import { Command, CommanderError, Option } from 'commander'
import { addAccountCommands } from './account.js'
import { addAudit } from './audit/command.js'
import { OutOfReach } from './connection.js'
import { EXIT } from './output.js'
import { addRoutes } from './routes/command.js'
import { UsageError } from './values.js'

/** Runs one command; what the process is to end with is in `process.exitCode`. */
export async function run(args: readonly string[]): Promise<void> {
  const program = new Command('farebox')
    .description('Looks after the credits that Farebox keeps in Redis, and tells what an app sells.')
    .addOption(new Option('--redis <url>', 'redis:// or rediss:// URL').env('REDIS_URL'))
    .option('--prefix <text>', 'what all keys begin with', 'farebox')
    .option('--json', 'for programs: a JSON document a line', false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'farebox:')) })
    .exitOverride()
  addAccountCommands(program)
  addAudit(program)
  addRoutes(program)
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? EXIT.ok : EXIT.failed
    if (!(error instanceof CommanderError)) console.error(`farebox: ${messageOf(error)}`)
  }
}

/** What someone can do something about is a line; anything else is a bug, and its stack helps. */
function messageOf(error: unknown): string {
  if (error instanceof OutOfReach || error instanceof UsageError || error instanceof UnreadableError) return error.message
  // Wrong options are all in its own message, a line each.
  if (isFareboxError(error)) return error.cause instanceof Error && error.code !== 'OPTIONS_INVALID' ? `${error.message} (${error.cause.message})` : error.message
  return error instanceof Error ? error.stack ?? error.message : String(error)
}
