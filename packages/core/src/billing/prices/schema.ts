import type { StandardSchemaV1 } from '@standard-schema/spec'

/**
 * A schema of any library that implements Standard Schema (zod, valibot, arktype), by what it produces.
 * Source of the interface: https://standardschema.dev
 */
export type Schema<Output> = StandardSchemaV1<unknown, Output>

export type Parsed<Output> =
  | { readonly kind: 'valid'; readonly value: Output }
  | { readonly kind: 'invalid'; readonly issues: readonly SchemaIssue[] }
  /** The schema itself is broken, as one that transforms what it can't. */
  | { readonly kind: 'threw'; readonly cause: unknown }

/** One thing wrong with an input: where (`domains.3`, '' for the whole) and what was expected. */
export interface SchemaIssue {
  readonly field: string
  readonly message: string
}

export async function parse<Output>(schema: Schema<Output>, input: unknown): Promise<Parsed<Output>> {
  try {
    const result = await schema['~standard'].validate(input)
    if (!result.issues) return { kind: 'valid', value: result.value }
    return { kind: 'invalid', issues: result.issues.map((issue) => ({ field: fieldOf(issue.path), message: issue.message })) }
  } catch (cause) {
    return { kind: 'threw', cause }
  }
}

function fieldOf(path: StandardSchemaV1.Issue['path']): string {
  return (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
}
