import type { RequestHandler } from 'express'
import { write } from '../providers/writer.js'
import { GenerateInput } from '../shapes.js'

export const generate: RequestHandler = async (req, res) => {
  const { prompt, maxTokens } = GenerateInput.parse(req.body)
  res.json({ data: await write(prompt, maxTokens), meta: { requestId: res.locals['requestId'] } })
}
