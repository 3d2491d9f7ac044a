import type { RequestHandler } from 'express'
import { isKnown, lookUp, recall } from '../providers/directory.js'
import { SearchInput, uniqueDomains } from '../shapes.js'

/** Companies by domain: ours where we know them, else the directory's. */
export const searchCompanies: RequestHandler = async (req, res) => {
  const domains = uniqueDomains(SearchInput.parse(req.body).domains)
  const data = await Promise.all(domains.map((domain) => (isKnown(domain) ? recall(domain) : lookUp(domain))))
  const consulted = domains.filter((domain) => !isKnown(domain))
  res.json({ data, meta: { requestId: res.locals['requestId'], consulted } })
}
