import { z } from 'zod'
import { milliseconds, parseOrThrow } from '../billing/parse-options.js'
import { FareboxError } from '../errors.js'
import type { JournalEntry, JournalSink } from './sink.js'

export interface CloudEventsOptions {
  /** Where entries are posted to. */
  readonly url: string | URL
  /** What the events are from, a URI reference: `/billing`, `https://api.example.com/billing`. */
  readonly source: string
  /** Such as Authorization. */
  readonly headers?: Readonly<Record<string, string>>
  /** How long an answer is waited for, in ms. Default 10,000. */
  readonly timeout?: number
}

const optionsSchema = z.strictObject({
  url: z.union([z.string(), z.instanceof(URL)]).transform(String).refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol), { error: 'expected an http or https URL' }),
  source: z.string().min(1),
  headers: z.record(z.string(), z.string()).default({}).refine(areHeaders, { error: 'expected names and values that HTTP allows' }),
  timeout: milliseconds.default(10_000),
})

/**
 * A sink that posts entries as CloudEvents 1.0, in batches (JSON batch format over HTTP). An event's `id` is the entry's `uid`, its
 * `subject` the account, its `type` `farebox.entry.` and the entry's kind, its `data` the entry. Any answer but 2xx, or none in time: they
 * come again.
 *
 * @throws FareboxError `OPTIONS_INVALID`
 * @example
 * billing({ ..., journal: cloudEvents({ url: 'https://events.example.com/ledger', source: '/billing' }) })
 */
export function cloudEvents(options: CloudEventsOptions): JournalSink {
  const { url, source, headers, timeout } = parseOrThrow(optionsSchema, options, 'cloudEvents options')
  const batchHeaders = new Headers(headers)
  batchHeaders.set('content-type', 'application/cloudevents-batch+json; charset=utf-8')
  return {
    async write(entries) {
      const response = await fetch(url, {
        method: 'POST',
        headers: batchHeaders,
        body: JSON.stringify(entries.map((entry) => eventOf(entry, source))),
        // Followed, a 301 or 302 would become a GET, whose 200 says nothing about what was sent.
        redirect: 'manual',
        signal: AbortSignal.timeout(timeout),
      })
      await response.body?.cancel()
      if (!response.ok) throw new FareboxError('SINK_FAILED', `${new URL(url).origin} answered ${response.status}`)
    },
  }
}

function eventOf(entry: JournalEntry, source: string) {
  return {
    specversion: '1.0', id: entry.uid, source, type: `farebox.entry.${entry.kind}`, subject: entry.account,
    time: new Date(entry.at).toISOString(), datacontenttype: 'application/json', data: entry,
  }
}

function areHeaders(headers: Readonly<Record<string, string>>): boolean {
  try {
    return new Headers(headers) instanceof Headers
  } catch {
    return false
  }
}
