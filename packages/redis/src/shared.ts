import type { Counts, JournalCommand, SharedCommand, SharedReplyTo } from '@farebox/core'
import { lines, splitLine } from './codec.js'
import type { ScriptClient } from './connection.js'
import type { KeySpace } from './keys.js'
import { shared as scripts } from './program.generated.js'
import { runScript } from './script.js'
import { encodeNumber, encodeText } from './text.js'

type KeyCommand = Exclude<SharedCommand, JournalCommand>

/** Sends the commands that no account owns: each a script of its own on one key. */
export function sharedSender(client: ScriptClient, { sharedName }: KeySpace, now: (() => number) | undefined) {
  return async (command: KeyCommand): Promise<SharedReplyTo<KeyCommand>> => {
    const { key, args } = encode(command)
    const reply = await runScript(client, scripts[command.kind], [sharedName(...key)], [now ? String(now()) : '', ...args])
    return decode(String(reply))
  }
}

function encode(command: KeyCommand): { key: [what: string, item: string], args: string[] } {
  switch (command.kind) {
    case 'register': return { key: ['operation', encodeText(command.operation)], args: [encodeText(command.place), encodeNumber('keptMs', command.keptMs)] }
    case 'locate': return { key: ['operation', encodeText(command.operation)], args: [] }
    case 'count': return {
      key: ['counts', encodeText(command.name)],
      args: Object.entries(command.counts).flatMap(([name, count]) => [encodeText(name), encodeNumber(name, count)]),
    }
    case 'counts': return { key: ['counts', encodeText(command.name)], args: [] }
    case 'lease': return { key: ['lease', encodeText(command.name)], args: [encodeText(command.owner), encodeNumber('ttlMs', command.ttlMs)] }
  }
}

function decode(text: string): SharedReplyTo<KeyCommand> {
  const [kind, rest] = splitLine(text) as [SharedReplyTo<KeyCommand>['kind'], string]
  switch (kind) {
    case 'located': return { kind, place: decodeURIComponent(rest) }
    case 'counts': return { kind, counts: decodeCounts(rest) }
    default: return { kind }
  }
}

/** Lines `counter count`; a counter has one for each week. */
function decodeCounts(text: string): Counts {
  const counts: Record<string, number> = {}
  for (const [name, count] of lines(text).map((line) => line.split(' ') as [string, string])) {
    const counter = decodeURIComponent(name)
    counts[counter] = (counts[counter] ?? 0) + Number(count)
  }
  return counts
}
