import fc from 'fast-check'

/** What a handler does with a request that reaches it; one that is `excused` throws, and the app's error handler answers 200. */
export type Deed = 'answers' | 'passes' | 'fails' | 'throws' | 'excused'

export interface LayoutRoute {
  readonly kind: 'route'
  readonly methods: readonly string[] | 'ALL'
  /** Parameters as `:a`; `*` at its end takes the rest. */
  readonly path: string
  readonly terms: 'paid' | 'free' | 'unlisted'
  readonly does: Deed
  /** A handler before it passes on. */
  readonly chained: boolean
}

export interface LayoutMount {
  readonly kind: 'mount'
  readonly path: string
  /** An app of its own inside, where the framework tells that from a router. */
  readonly app: boolean
  readonly strict: boolean
  readonly sensitive: boolean
  readonly nodes: readonly LayoutNode[]
}

export type LayoutNode = LayoutRoute | LayoutMount

/** An app, as each framework can have it. */
export interface Layout {
  readonly strict: boolean
  readonly sensitive: boolean
  readonly nodes: readonly LayoutNode[]
}

// Few words, so that routes overlap.
const word = fc.constantFrom('v1', 'V1', 'run', 'Run', 'a')

const mostly = <T>(usual: T, ...others: T[]) => fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, ...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })))

const routePath = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.array(fc.oneof({ weight: 3, arbitrary: word }, { weight: 1, arbitrary: fc.constant(':') }), { minLength: 1, maxLength: 3 }), mostly('', '/', '/*')) },
  { weight: 1, arbitrary: fc.constant([[], '/'] as [string[], string]) },
  { weight: 1, arbitrary: fc.constant([[], '/*'] as [string[], string]) },
).map(([segments, end]) => named(segments, 'abc') + end)

/** A path without params' names says where they are; these differ from those of what it is mounted on. */
function named(segments: readonly string[], names: string): string {
  return segments.map((segment, i) => `/${segment === ':' ? `:${names[i]}` : segment}`).join('')
}

const route: fc.Arbitrary<LayoutRoute> = fc.record({
  kind: fc.constant('route' as const),
  methods: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(['GET'], ['POST'], ['GET', 'POST'], ['PUT'], ['DELETE']) },
    { weight: 1, arbitrary: fc.constant('ALL' as const) },
  ),
  path: routePath,
  terms: fc.constantFrom('paid', 'paid', 'free', 'unlisted'),
  does: mostly<Deed>('answers', 'passes', 'fails', 'throws', 'excused'),
  chained: mostly(false, true),
})

function mount(names: string, inside: fc.Arbitrary<LayoutNode>): fc.Arbitrary<LayoutMount> {
  return fc.record({
    kind: fc.constant('mount' as const),
    path: fc.array(fc.oneof({ weight: 3, arbitrary: word }, { weight: 1, arbitrary: fc.constant(':') }), { minLength: 1, maxLength: 2 }).map((segments) => named(segments, names)),
    app: fc.boolean(), strict: fc.boolean(), sensitive: fc.boolean(),
    nodes: fc.array(inside, { minLength: 1, maxLength: 4 }),
  })
}

const inner = fc.oneof({ weight: 4, arbitrary: route }, { weight: 1, arbitrary: mount('mn', route) })

export const layouts: fc.Arbitrary<Layout> = fc.record({
  strict: fc.boolean(), sensitive: fc.boolean(),
  nodes: fc.array(fc.oneof({ weight: 4, arbitrary: route }, { weight: 1, arbitrary: mount('xy', inner) }), { minLength: 3, maxLength: 9 }),
})

/** All routes of a layout, with their paths from the root. */
export function routesOf(nodes: readonly LayoutNode[], prefix = ''): readonly { readonly route: LayoutRoute; readonly path: string }[] {
  return nodes.flatMap((node) => (node.kind === 'mount' ? routesOf(node.nodes, prefix + node.path) : [{ route: node, path: prefix + node.path }]))
}

/** Without the routes whose paths from the root don't fit. */
export function fitting(nodes: readonly LayoutNode[], fits: (path: string) => boolean, prefix = ''): readonly LayoutNode[] {
  return nodes.flatMap((node): LayoutNode[] => {
    if (node.kind === 'mount') return [{ ...node, nodes: fitting(node.nodes, fits, prefix + node.path) }]
    return fits(prefix + node.path) ? [node] : []
  })
}
