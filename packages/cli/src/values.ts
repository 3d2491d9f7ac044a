/** The command line says something that can't be. */
export class UsageError extends Error {}

/** A decimal as people write it: `Number` alone also takes '' and 0x10. */
export function number(field: string) {
  return (text: string): number => {
    if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text)
    throw new UsageError(`${field}: expected a number, got ${JSON.stringify(text)}`)
  }
}

/** A date, or a date and time, as ISO 8601 writes them; without a zone it is UTC. */
export function time(field: string) {
  return (text: string): Date => {
    const [, date, hours = 'T00:00', zone = 'Z'] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? []
    const parsed = new Date(`${date}${hours}${zone}`)
    if (Number.isNaN(parsed.getTime())) throw new UsageError(`${field}: expected a date like 2027-01-31 or 2027-01-31T12:00Z, got ${JSON.stringify(text)}`)
    return parsed
  }
}
