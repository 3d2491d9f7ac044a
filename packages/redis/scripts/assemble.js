// Puts Lua files together. Redis runs a script from its beginning each time, and what a small batch pays for above all is
// the making of functions. Two things make that cheap; neither shows in the files.

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

/** The files of a script, in order. */
export const filesOf = (parts) => parts.flatMap((part) => (typeof part === 'string' ? [part] : filesOf(part.parts)))

/** The code of a script. */
export function assemble(parts, files) {
  return parts.map((part) => (typeof part === 'string' ? files.get(part).code : `${part.before}\n${assemble(part.parts, files)}\n${part.after}`)).join('\n')
}
