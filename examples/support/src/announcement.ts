/** What is said about an example when it starts. */
export interface Announced {
  readonly name: string
  readonly url: string
  /** What stands between the address and the curl lines. */
  readonly about: string
  /** Calls to try. */
  readonly calls: readonly { readonly path: string; readonly body: unknown }[]
}

/** Where an example listens, what it sells, and a few lines to try it with. */
export function announcement({ name, url, about, calls }: Announced): string {
  const curl = `curl -sS -w '\\n' -H 'x-api-key: ada'`
  return [
    `${name} listens on ${url}`, '',
    about, '',
    'Try:',
    ...calls.map(({ path, body }) => `${curl} -i ${url}${path} -H 'content-type: application/json' -d '${JSON.stringify(body)}'`),
    `${curl} ${url}/v1/credits/balance`,
    `${curl} -X POST ${url}/v1/credits/projections/usage-summary`, '',
  ].join('\n')
}
