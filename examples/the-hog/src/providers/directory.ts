import { pick } from 'example-support'

export interface Company {
  readonly domain: string
  readonly name: string
  readonly industry: string
  readonly employee_count: number
}

/** Domains that were looked up before; the answer is in our own database. */
export function isKnown(domain: string): boolean {
  return domain.endsWith('.cached.example')
}

/** A company as our database has it. */
export function recall(domain: string): Company {
  return describe(domain)
}

/** A company as the external directory has it: each look-up costs us money. */
export async function lookUp(domain: string): Promise<Company> {
  return describe(domain)
}

function describe(domain: string): Company {
  const [label = domain] = domain.split('.')
  return {
    domain,
    name: label.charAt(0).toUpperCase() + label.slice(1),
    industry: pick(['Software', 'Logistics', 'Retail', 'Energy'], domain),
    employee_count: pick([12, 85, 220, 1_400], domain),
  }
}
