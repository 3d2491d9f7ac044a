import * as v from 'valibot'
import { z } from 'zod'

/** The same two shapes by two libraries. */
export const zodInput = z.object({ count: z.number(), tags: z.array(z.string()), note: z.string().default('') })
export const zodOutput = z.object({ found: z.array(z.string()) })
export const valibotInput = v.object({ count: v.number(), tags: v.array(v.string()), note: v.optional(v.string(), '') })
export const valibotOutput = v.object({ found: v.array(v.string()) })

export interface Input { count: number; tags: string[]; note: string }
export interface Output { found: string[] }
