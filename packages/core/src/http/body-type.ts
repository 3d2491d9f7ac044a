/** What a response's headers say of its body. */
export interface BodyType {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
}

/** Whether the text of a body is JSON that can be read and added to: what `close` takes as `json`. */
export function carriesJson({ contentType, contentEncoding }: BodyType): boolean {
  return contentType !== undefined && /^application\/(?:[\w.+-]+\+)?json *(?:;|$)/i.test(contentType) && !isEncoded(contentEncoding)
}

/** Whether a body is server-sent events that can be read and added to. */
export function isEventStream({ contentType, contentEncoding }: BodyType): boolean {
  return contentType !== undefined && /^text\/event-stream *(?:;|$)/i.test(contentType) && !isEncoded(contentEncoding)
}

export function isEncoded(contentEncoding: string | undefined): boolean {
  return contentEncoding !== undefined && contentEncoding !== 'identity'
}

export function readJson(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
