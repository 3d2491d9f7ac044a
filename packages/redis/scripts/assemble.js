// Puts Lua files together. Redis runs a script from its beginning each time, and what a small batch pays for above all is
// the making of functions. Four things make that cheap; none shows in the files.

/**
 * Files in a function of their own, behind the variables they use. For each variable that a function uses, Lua looks
 * through those of the function around it that are in use by then; variables from further out it only copies.
 */
export const within = (...parts) => ({ parts, before: 'return (function()', after: 'end)()' })

/** Files that are run when the first field of this table that is not there is asked for: then they make it. */
export const whenAsked = (table, ...parts) => ({
  parts,
  before: `setmetatable(${table}, { __index = function(_, wanted)\nsetmetatable(${table}, nil)`,
  after: `return ${table}[wanted]\nend })`,
})

/**
 * Parts that fill one of these tables each, when it is asked for; and until the first of them is asked for anything, one function stands for all:
 * a batch that asks for none of them makes only that.
 */
export const untilAsked = (tables, ...parts) => ({
  parts,
  before: `local asked = { __index = function(made, wanted)\n${tables.map((table) => `setmetatable(${table}, nil)`).join(' ')}`,
  after: `return made[wanted]\nend }\n${tables.map((table) => `setmetatable(${table}, asked)`).join(' ')}`,
})

/** The files of a script, in order. */
export const filesOf = (parts) => parts.flatMap((part) => (typeof part === 'string' ? [part] : filesOf(part.parts)))

/**
 * A file of constants, `local NAME = number` each, and what puts their values where others name them: a variable less for every function
 * that uses one.
 */
export function inline(constants, code) {
  return [...constants.matchAll(/^local (\w+) = (\d+)$/gm)].reduce((text, [, name, value]) => text.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), value), code)
}

/** The code of a script. */
export function assemble(parts, files) {
  const variables = []
  return parts.map((part) => {
    const code = typeof part === 'string' ? files.get(part).code : functionOf(part, assemble(part.parts, files), variables)
    if (typeof part === 'string') variables.push(...variablesOf(code))
    return code
  }).join('\n')
}

/**
 * The function of a part. It names the variables around it in their order first, in a branch that is never taken: what Lua looks through to find
 * one are those that are in use by then and declared later. In this order there are none.
 */
function functionOf({ before, after }, code, variables) {
  const used = variables.filter((name) => new RegExp(`(?<![\\w.:'])${name}(?!\\w)`).test(code))
  return `${before}\n${used.length > 0 ? `if false then return ${used.join(', ')} end\n` : ''}${code}\n${after}`
}

/** What a file's code declares for the files behind it. */
function variablesOf(code) {
  return [...code.matchAll(/^local (?:function (\w+)|([\w, ]+?)(?: =|$))/gm)].flatMap(([, name, names]) => (name ? [name] : names.split(', ')))
}
