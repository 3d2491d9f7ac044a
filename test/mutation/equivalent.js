/** Mutants that are the same program, and why: by their file, the line, and the change (all of the line's, where none is named). */
export const equivalent = [
]
