/** Whether two types are the same one. `any` is the same as nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/**
 * Compiles only where the value's type is exactly `Expected`.
 *
 * @example same<string>()('text' as string)
 */
export function same<Expected>(): <Actual>(value: Actual, ...proof: Same<Actual, Expected> extends true ? [] : [expected: Expected]) => void {
  return () => {}
}

type IsAny<T> = 0 extends 1 & T ? true : false

/** Compiles only where the value's type is not `any`. */
export function notAny<T>(_value: T, ..._proof: IsAny<T> extends true ? [never] : []): void {}
