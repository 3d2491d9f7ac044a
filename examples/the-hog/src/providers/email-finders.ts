import { pick } from 'example-support'

/** Finds a person's address, or does not; costs us money either way. */
export interface EmailFinder {
  readonly name: string
  find(person: string, company: string): Promise<string | undefined>
}

/** From the cheapest to the dearest. */
export const emailFinders: readonly EmailFinder[] = ['hunt', 'burrow', 'forage', 'unearth'].map((name, i) => ({
  name,
  find: async (person, company) => (finderOf(company, person) === i + 1 ? `${person.toLowerCase().replace(/\s+/g, '.')}@${company}` : undefined),
}))

/** Which of them knows people there, counted from 1; 0: none does. */
function finderOf(company: string, person: string): number {
  const planned = /^found-at-(\d+)\.example$/i.exec(company)
  if (planned) return Number(planned[1])
  return company.toLowerCase() === 'nowhere.example' ? 0 : pick([1, 2, 3, 4], company + person)
}
