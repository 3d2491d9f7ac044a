/** What every example reads from its environment. */
export interface Settings {
  readonly port: number
  /** Absent: balances are kept in memory. */
  readonly redisUrl: string | undefined
  /** Credits that a new account gets. */
  readonly allowance: number
}

/** Reads PORT (default 3000), REDIS_URL and ALLOWANCE (default 100). A wrong one ends the program with a message. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    port: readNumber(env, 'PORT', 3000, (port) => Number.isInteger(port) && port >= 0 && port <= 65_535, 'a whole number from 0 to 65535'),
    redisUrl: env['REDIS_URL'] || undefined,
    allowance: readNumber(env, 'ALLOWANCE', 100, (credits) => credits >= 0 && Number.isFinite(credits), 'a number of credits, 0 or more'),
  }
}

function readNumber(env: NodeJS.ProcessEnv, name: string, fallback: number, fits: (value: number) => boolean, expected: string): number {
  const text = env[name]?.trim()
  if (!text) return fallback
  const value = Number(text)
  if (fits(value)) return value
  console.error(`${name}: expected ${expected}, got "${text}"`)
  process.exit(1)
}
