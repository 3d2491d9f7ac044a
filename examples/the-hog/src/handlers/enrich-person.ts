import type { RequestHandler } from 'express'
import { emailFinders } from '../providers/email-finders.js'
import { EnrichInput } from '../shapes.js'

/** A person's address: one finder after the other until one has it. */
export const enrichPerson: RequestHandler = async (req, res) => {
  const { name, company, maxEmailProviderAttempts } = EnrichInput.parse(req.body)
  const attempts: { provider: string; found: boolean }[] = []
  let email: string | undefined
  for (const finder of emailFinders.slice(0, maxEmailProviderAttempts)) {
    email = await finder.find(name, company)
    attempts.push({ provider: finder.name, found: email !== undefined })
    if (email !== undefined) break
  }
  res.json({ data: { name, company, email: email ?? null, attempts }, meta: { requestId: res.locals['requestId'] } })
}
