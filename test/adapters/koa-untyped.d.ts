// Packages without types of their own that the tests of the Koa adapter use.
declare module 'koa2' {
  export { default } from 'koa'
}
declare module 'router12' {
  export { default } from '@koa/router'
}
declare module 'router13' {
  export { default } from '@koa/router'
}
declare module 'router14' {
  export { default } from '@koa/router'
}
declare module 'koa-mount' {
  import type Koa from 'koa'
  export default function mount(path: string, app: Koa): Koa.Middleware
}
declare module 'koa-conditional-get' {
  import type { Middleware } from 'koa'
  export default function conditional(): Middleware
}
declare module 'koa-bodyparser' {
  import type { Middleware } from 'koa'
  export default function bodyParser(): Middleware
}
