import { carriesJson, type Head } from '@farebox/core/adapter'

/** The JSON in a body, and the body again around another. */
export interface JsonIn {
  readonly text: string
  wrap(json: string): string
}

/** What `res.jsonp` writes around its JSON. */
const JSONP = /^(\/\*\*\/ typeof ([[\]\w$.]+) === 'function' && \2\()(.*)(\);)$/s

export function jsonIn(body: Buffer, { contentType, contentEncoding }: Pick<Head, 'contentType' | 'contentEncoding'>): JsonIn | undefined {
  if (body.length === 0) return undefined
  if (carriesJson({ contentType, contentEncoding })) {
    const text = textOf(body)
    return text === undefined ? undefined : { text, wrap: (json) => json }
  }
  if (!/^text\/javascript\b/i.test(contentType ?? '') || !carriesJson({ contentType: 'application/json', contentEncoding })) return undefined
  const [, before, , text, after] = JSONP.exec(textOf(body) ?? '') ?? []
  return text === undefined ? undefined : { text, wrap: (json) => `${before}${json}${after}` }
}

/** Text in UTF-8; bytes that are none can't be added to without changing them. */
function textOf(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return undefined
  }
}
