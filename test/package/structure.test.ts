import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)

/** The lines of every source file below a folder, as `file:line: text`. */
function linesOf(folder: string): string[] {
  const here = new URL(`${folder}/`, root)
  const files = readdirSync(here, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  expect(files, `no source in ${fileURLToPath(here)}`).not.toEqual([])
  return files.flatMap((file) => readFileSync(new URL(file, here), 'utf8').split('\n').map((text, i) => `${folder}/${file}:${i + 1}: ${text}`))
}

/** The lines without their comments and without where they stand. */
const code = (line: string): string => line.replace(/^[^:]+:\d+: /, '').replace(/\/\/.*|^\s*\/?\*.*/, '')

/** A refusal's code anywhere, or any code that is given to something; a 204 or 304 may be recognized, for it has no body. */
const DECIDED = /(?<![\w.])[45]\d\d(?![\w.])|\bstatus(?:Code)?\s*(?:=|\?\?=|:|\()\s*[1-5]\d\d\b|writeHead\(\s*\d/i

describe('structure', () => {
  it.each(['packages/client/src', 'packages/core/src', 'packages/hono/src'])('%s imports nothing of Node', (folder) => {
    // The entry points that need Node, and what they are compiled with.
    const apart = /^packages\/core\/src\/(?:meter|ndjson|spool|spool-file|disk|node\.d)\.ts:/
    expect(linesOf(folder).filter((line) => !apart.test(line) && /['"]node:/.test(code(line)))).toEqual([])
  })

  it.each(['packages/express/src', 'packages/koa/src', 'packages/hono/src'])('no status code is decided in %s', (folder) => {
    expect(linesOf(folder).filter((line) => DECIDED.test(code(line)))).toEqual([])
  })

  it.each(['packages/express/src', 'packages/koa/src', 'packages/hono/src', 'packages/redis/src'])('%s knows core and no other package of ours', (folder) => {
    expect(linesOf(folder).filter((line) => /(?:from|import)[\s(]*['"]@farebox\/(?!core['"/])/.test(code(line)))).toEqual([])
  })

  it.each(['packages/client/src', 'packages/core/src'])('%s knows no other package of ours', (folder) => {
    expect(linesOf(folder).filter((line) => /(?:from|import)[\s(]*['"]@farebox\//.test(code(line)))).toEqual([])
  })

  it.each([
    'examples/humalike/src/products',
    'examples/the-hog/src/handlers',
    'examples/the-hog/src/providers',
  ])('handlers in %s know nothing of billing', (folder) => {
    expect(linesOf(folder).filter((line) => /farebox|credit|bill(ing|able)/i.test(code(line)))).toEqual([])
  })

  it('the chat handler and its model know nothing of billing', () => {
    const lines = linesOf('examples/llm-chat/src').filter((line) => /\/(chat|model|stream|errors|simulate)\.ts:/.test(line))
    expect(lines).not.toEqual([])
    expect(lines.filter((line) => /farebox|credit|bill(ing|able)/i.test(code(line)))).toEqual([])
  })
})
