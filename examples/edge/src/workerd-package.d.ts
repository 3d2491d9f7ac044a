/** The package has no types of its own; it exports the path of its binary. */
declare module 'workerd' {
  const workerd: { readonly default: string }
  export = workerd
}
