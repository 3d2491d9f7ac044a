import { RECORD_KEPT_MS, type BudgetKey, type Closed, type LedgerCommand, type LedgerReply, type OperationRead } from '@farebox/core'
import { ALLOWANCE } from './deeds.js'
import type { Call, Known } from './known.js'

/** Of the clock's being put back it is not known whether a record has been thrown away before. */
const PUT_BACK_MS = 60_000

/** What a reply says of the books. */
export interface Learned {
  /** What was posted, `kind amount reference`. */
  readonly posted: string[]
  /** What must not be said. */
  readonly wrong: string[]
}

/** Takes note of what a command was told. */
export function learn(known: Known, command: LedgerCommand, reply: LedgerReply, now: number): Learned {
  const learned: Learned = { posted: [], wrong: [] }
  const call = 'reservation' in command ? known.calls.find(({ reservation }) => reservation === command.reservation) : undefined
  switch (reply.kind) {
    case 'granted':
      if (command.kind === 'grant' && !reply.replayed) once(known, command.grant, `grant ${reply.amount} ${command.grant}`, learned)
      break
    case 'refunded':
      if (command.kind === 'refund' && !reply.replayed) once(known, command.refund, `refund ${reply.amount} ${command.reservation}`, learned)
      break
    case 'reserved':
      if (call!.deadline === 0) begin(known, call!, now, learned)
      call!.deadline = reply.expiresAt
      provision(known, learned)
      break
    case 'over_budget':
      if (reply.spent + reply.held + reply.required <= call!.budgets[reply.budget]!.limit) learned.wrong.push('refused, although its budgets allow it')
      learned.wrong.push(...misstated(known, call!.budgets.slice(reply.budget), [reply], now))
      provision(known, learned)
      break
    case 'balance':
      if (command.kind === 'balance') learned.wrong.push(...misstated(known, command.budgets!, reply.budgets!, now))
      break
    case 'insufficient':
      if (reply.available >= reply.required) learned.wrong.push('refused, although it is available')
      provision(known, learned)
      break
    case 'extended':
      prolong(call!, command, now)
      if (reply.expiresAt !== call!.deadline) learned.wrong.push(`extended until ${reply.expiresAt}, not ${call!.deadline}`)
      break
    case 'settled':
      end(known, call!, reply, now, learned)
      break
    case 'released':
      if (call) known.close(call, 0)
      if (call) call.released = true
      break
    case 'operation':
      operate(known, command, reply, now, learned)
      break
    default:
  }
  return learned
}

/** Takes effect, which an id does once. */
function once({ done }: Known, id: string, movement: string, { posted, wrong }: Learned): void {
  if (done.has(id)) wrong.push(`${id} took effect before`)
  done.add(id)
  posted.push(movement)
}

/** A call holds its ceiling from now on. */
function begin(known: Known, call: Call, now: number, { wrong }: Learned): void {
  wrong.push(...soldTwice(known, call, now))
  call.keyKeptUntil = now + RECORD_KEPT_MS
  known.spending.hold(call.reservation, call.budgets, call.ceiling, now)
  for (const budget of call.budgets) {
    const { spent, held } = known.use(budget, now) ?? { spent: 0, held: 0 }
    if (spent + held > budget.limit) wrong.push(`${spent} spent and ${held} held of ${budget.limit} in ${budget.scope}`)
  }
}

function misstated(known: Known, budgets: readonly BudgetKey[], said: readonly { readonly spent: number, readonly held: number }[], now: number): string[] {
  return said.flatMap(({ spent, held }, i) => {
    const use = known.use(budgets[i]!, now)
    return use && (use.spent !== spent || use.held !== held) ? [`said ${spent} spent and ${held} held of ${budgets[i]!.scope}, not ${use.spent} and ${use.held}`] : []
  })
}

function provision(known: Known, { posted }: Learned): void {
  if (!known.provisioned && !known.recurrence) posted.push(`grant ${ALLOWANCE} allowance`)
  known.provisioned = true
}

/** Whether a key is sold that is remembered of another call: of one that is open, or was charged in time. */
function soldTwice({ calls }: Known, { key, reservation }: Call, now: number): string[] {
  const owner = calls.find((call) => call.key === key && call.reservation !== reservation && (call.deadline > now || call.charged) && call.keyKeptUntil > now + PUT_BACK_MS)
  return key !== '' && owner ? [`the key ${key} belongs to ${owner.reservation}`] : []
}

/** The first time that a call is said to be charged, its charge was posted; and it is all that was spent, or that there was. */
function end(known: Known, call: Call, reply: Pick<Closed, 'charge' | 'shortfall' | 'late' | 'available'>, now: number, { posted, wrong }: Learned): void {
  const open = call.deadline > 0
  if (call.charged) return
  call.charged = true
  call.keyKeptUntil = open && call.keyKeptUntil > now ? now + RECORD_KEPT_MS : 0
  const { charge, shortfall, late, available } = reply
  if (open) known.close(call, charge)
  else known.spending.spend(call.budgets, charge, now)
  if (charge + shortfall > 0) posted.push(`charge ${0 - charge} ${call.reservation}`)
  if (charge + shortfall !== Math.min(call.charge, call.ceiling)) wrong.push(`of ${call.charge} it charged ${charge} and lacked ${shortfall}`)
  if (late === open) wrong.push(late ? 'said to be late, and was not' : 'was late, and not said to be')
  if (shortfall > 0 && (open || available > 0)) wrong.push(`lacked ${shortfall} without need`)
}

function operate(known: Known, command: LedgerCommand, reply: OperationRead, now: number, learned: Learned): void {
  const call = known.calls.find(({ reservation }) => reservation === reply.reservation)!
  switch (command.kind) {
    case 'hold':
      if (reply.reservation !== command.reservation) learned.wrong.push(`the operation is of ${reply.reservation}`)
      if (call.operation) break
      call.operation = { id: reply.operation, heldAt: now }
      call.keyKeptUntil = now + command.ttlMs + RECORD_KEPT_MS
      prolong(call, command, now)
      break
    case 'progress':
      if (command.ttlMs === 0 || reply.status !== 'pending') break
      if (call.keyKeptUntil > now) call.keyKeptUntil = Math.max(call.keyKeptUntil, now + command.ttlMs + RECORD_KEPT_MS)
      prolong(call, command, now)
      break
    case 'finish':
      if (reply.status === 'succeeded') end(known, call, reply, now, learned)
      known.close(call, 0)
      break
    default:
  }
}

/** Moves the deadline of a call that is open, never to an earlier time. */
function prolong(call: Call, command: LedgerCommand, now: number): void {
  if ('ttlMs' in command && call.deadline > 0) call.deadline = Math.max(call.deadline, now + command.ttlMs)
}
