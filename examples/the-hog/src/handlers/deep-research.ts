import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import { ResearchInput } from '../shapes.js'

/** A question that somebody will work on. */
export interface Job {
  readonly id: string
  readonly question: string
}

/** Takes a question, and answers before it is worked on. */
export function deepResearch(begin: (job: Job) => void): RequestHandler {
  return (req, res) => {
    const { question } = ResearchInput.parse(req.body)
    const id = randomUUID()
    begin({ id, question })
    res.status(202).json({ operationId: id, status: 'queued', pollUrl: `/api/operations/${id}`, meta: { requestId: res.locals['requestId'] } })
  }
}
