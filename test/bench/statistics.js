/** The median of some numbers and the spread around it: the 1st and 3rd quartile. */
export function summary(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** `12.3 (11.9 – 12.8)` */
export function text({ median, low, high }, digits = 1) {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} – ${high.toFixed(digits)})`
}

/** Runs each variant once a round, in turn, so that whatever slows the machine slows them all. */
export async function interleave(rounds, variants) {
  const results = Object.fromEntries(Object.keys(variants).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(variants)) results[name].push(await run())
  }
  return results
}

/** Runs `act(i)` for each i below `count`, `inFlight` at a time. */
export async function forEach(inFlight, count, act) {
  let next = 0
  const worker = async () => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}
