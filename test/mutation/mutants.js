// Changes that a careless hand could make to a line: of operators, comparisons, constants, arguments and writes.

const shared = [
  [/ < /g, ' <= '], [/ <= /g, ' < '], [/ > /g, ' >= '], [/ >= /g, ' > '], [/ < /g, ' >= '], [/ > /g, ' <= '],
  // `+ 0` makes a number of a text, and so would `- 0`.
  [/ \+ (?!0\b)/g, ' - '], [/ - /g, ' + '], [/ \* /g, ' + '],
  [/\bmin\(/g, 'max('], [/\bmax\(/g, 'min('],
  [/\btrue\b/g, 'false'], [/\bfalse\b/g, 'true'],
  [/(?<![\w.])\d+(?![\w.])/g, (number) => String(Number(number) + 1)],
  [/(?<![\w.])[1-9]\d*(?![\w.])/g, (number) => String(Number(number) - 1)],
  // Two arguments the other way round, where that is another call.
  [/(?<!function |min|max|earliest)\((\w[\w.]*), (\w[\w.]*)(?=[,)])/g, (_, a, b) => `(${b}, ${a}`],
]

const languages = {
  ts: {
    quiet: /'(?:[^'\\\n]|\\.)*'|`[^`]*`|\/\/.*|\/\*[\s\S]*?\*\//g,
    changes: [
      ...shared,
      [/ === /g, ' !== '], [/ !== /g, ' === '], [/ && /g, ' || '], [/ \|\| /g, ' && '], [/(?<=[(\s])!(?=[\w(])/g, ''],
      [/^ +(?:if \(.*\) (?:return|continue) .*|[\w.]+ [+-]?= .*)$/gm, ''],
    ],
  },
  lua: {
    quiet: /'(?:[^'\\\n]|\\.)*'|--.*/g,
    changes: [
      ...shared,
      [/ == /g, ' ~= '], [/ ~= /g, ' == '], [/ and /g, ' or '], [/ or /g, ' and '], [/\bnot /g, ''],
      [/^ +(?:if .* then .* end|[a-z][\w.]*\(.*\)|[a-z][\w.[\], ]* = .*)$/gm, ''],
    ],
  },
}

/**
 * @param text a file's
 * @returns each mutant: where it begins and ends, what stands there and what instead
 */
export function mutantsOf(text, language) {
  const { quiet, changes } = languages[language]
  // What is quoted and what is said about the code stays as it is.
  const code = text.replace(quiet, (part) => part.replace(/[^\n]/g, '\u0001'))
  const changed = changes.flatMap(([pattern, change]) => [...code.matchAll(pattern)].map((match) => {
    const to = typeof change === 'string' ? change : change(...match)
    return { at: match.index, from: text.slice(match.index, match.index + match[0].length), to }
  }))
  return language === 'ts' ? [...changed, ...lostWrites(code, text)] : changed
}

/** A field less in a copy of an object that sets it anew. */
function lostWrites(code, text) {
  return [...code.matchAll(/\{\s*\.\.\.\w+/g)].flatMap(({ index }) =>
    fieldsFrom(code, index + 1).slice(1).map(([from, to]) => ({ at: from, from: text.slice(from, to), to: '' })))
}

/** The fields of an object, each from the comma before it. */
function fieldsFrom(code, start) {
  const fields = []
  let [depth, from] = [0, start]
  for (let at = start; at < code.length; at++) {
    if ('([{'.includes(code[at])) depth++
    if (depth === 0 && (code[at] === ',' || code[at] === '}')) {
      fields.push([from, at])
      from = at
    }
    if (')]}'.includes(code[at]) && depth-- === 0) break
  }
  return fields.filter(([from, to]) => code.slice(from + 1, to).trim() !== '')
}
