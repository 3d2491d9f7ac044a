/** One of several, always the same one for the same text: what the simulated providers know things by. */
export function pick<T>(choices: readonly [T, ...T[]], text: string): T {
  let hash = 0
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)!) >>> 0
  return choices[hash % choices.length]!
}
