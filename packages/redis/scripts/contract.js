// What a Lua file says about itself in its comments, and whether its code keeps to it.
import { filesOf } from './assemble.js'

const builtins = new Set(['tonumber', 'unpack', 'ipairs', 'pairs', 'function', 'if', 'and', 'or', 'not', 'return', 'in', 'while'])

/** Reads a file: its code without comments, and the contracts its comments state. */
export function contract(source) {
  const lines = source.split('\n')
  const comments = lines.filter((line) => line.startsWith('-- ')).map((line) => line.slice(3))
  const code = lines.map((line) => line.replace(/(^|\s)--.*$/, '').trimEnd()).filter((line) => line !== '').join('\n')
  const listed = (word) => comments.filter((line) => line.startsWith(`${word}:`)).map((line) => words(line.slice(word.length + 1)))
  return {
    code,
    command: code.match(/^commands\.(\w+) =/m)?.[1],
    keys: listed('KEYS').flat(),
    args: listed('ARGV').flat(),
    replies: listed('reply').map(([kind, ...fields]) => [kind, fields]),
    functions: comments.map((line) => line.match(/^([\w.]+)\(([^)]*)\)(:|$)/)).filter(Boolean).map(([, name, parameters]) => `${name}(${parameters})`),
    fields: [...code.matchAll(/^function (\w+\.\w+)/gm)].map(([, name]) => name),
    stated: comments.filter((line) => /^(KEYS|ARGV):/.test(line)).length > 0,
  }
}

/** What is wrong in a script, put together from these parts as assemble.js does. What a part makes stays inside it, except fields. */
export function checkScript(parts, files) {
  return checkParts(parts, files, new Set(filesOf(parts).flatMap((name) => files.get(name).fields)))
}

function checkParts(parts, files, known) {
  return parts.flatMap((part) => {
    if (typeof part !== 'string') return checkParts(part.parts, files, new Set(known))
    return check(files.get(part), known).map((fault) => `${part}.lua: ${fault}`)
  })
}

/** What a file's comments say that its code does not do, or the other way round. `known` gains its functions. */
export function check(file, known) {
  return [...checkReads(file), ...checkReplies(file), ...checkFunctions(file, known)]
}

/** Every key and argument is read by its name, in the order of the header. */
function checkReads({ code, keys, args, command, stated }) {
  const read = (functions) => [...code.matchAll(new RegExp(`\\b(?:${functions})\\('(\\w+)'\\)`, 'g'))].map(([, name]) => name)
  return [
    ...(command && !stated ? ['a command without KEYS and ARGV'] : []),
    ...differ('KEYS', keys, read('key')),
    ...differ('ARGV', args, read('text|number')),
  ]
}

function differ(what, stated, found) {
  return stated.join(' ') === found.join(' ') ? [] : [`${what} says "${stated.join(' ')}", the code reads "${found.join(' ')}"`]
}

/** Every reply of the header is made by the code from as many parts, and no other one is. */
function checkReplies({ code, replies }) {
  const stated = replies.map(([kind, fields]) => `${kind} of ${fields.length}`)
  const statements = code.replace(/\n *\.\. /g, ' .. ')
  const made = [...statements.matchAll(/return '([a-z_]+)(?: ' \.\. (.*)|\\n')/g)].map(([, kind, parts]) => `${kind} of ${parts?.split(".. ' ' ..").length ?? 0}`)
  return [
    ...stated.filter((reply) => !made.includes(reply)).map((reply) => `no reply ${reply} is made, though the header has it`),
    ...made.filter((reply) => !stated.includes(reply)).map((reply) => `a reply ${reply} is made, but not in the header`),
  ]
}

/** A function has the parameters its comment gives it, and what is called is there by then. */
function checkFunctions({ code, functions }, known) {
  const defined = [...code.matchAll(/^(?:local )?function ([\w.]+\([^)]*\))/gm)].map(([, signature]) => signature)
  for (const signature of defined) known.add(signature.slice(0, signature.indexOf('(')))
  for (const [, names] of code.matchAll(/^local ([\w, ]+) =/gm)) names.split(', ').forEach((name) => known.add(name))
  const called = [...code.replace(/'[^']*'/g, "''").matchAll(/(?<![.\w])([a-z][\w.]*)\s*\(/g)].map(([, name]) => name)
  return [
    ...functions.filter((signature) => !defined.includes(signature)).map((signature) => `no function ${signature}`),
    ...called.filter((name) => !known.has(name) && !builtins.has(name) && !/^(string|table|math)\./.test(name)).map((name) => `unknown function ${name}`),
  ]
}

function words(text) {
  return text.split(' ').filter((word) => word !== '')
}
