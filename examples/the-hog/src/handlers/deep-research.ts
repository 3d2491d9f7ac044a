import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import { ResearchInput } from '../shapes.js'

/** A question that somebody will work on. */
export interface Job {
  readonly id: string
  readonly question: string
}

/** Hands a job to whoever works on it; resolves once they have it, which is long before it is done. */
export type Begin = (job: Job) => Promise<void>

/** Takes a question, and answers before it is worked on. */
export function deepResearch(begin: Begin): RequestHandler {
  return async (req, res) => {
    const { question } = ResearchInput.parse(req.body)
    const id = randomUUID()
    await begin({ id, question })
    res.status(202).json({ id, operationId: id, status: 'queued', pollUrl: `/api/operations/${id}`, meta: { requestId: res.locals['requestId'] } })
  }
}
