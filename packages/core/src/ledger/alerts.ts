import type { Crossing, Threshold, Watch, Watched } from './commands.js'
import { standing } from './standing.js'
import type { AccountState, Alert } from './state.js'

/** Tells which thresholds the balance has passed, each once: who is told is decided here. */
export function watch(state: AccountState, command: Watch, now: number): [AccountState, Watched] {
  const looks = command.thresholds.map((threshold) => [thresholdKey(threshold), look(state, threshold, command.watch, now)] as const)
  const alerts = looks.reduce((before, [key, alert]) => before.set(key, alert), state.alerts)
  const crossed = looks.flatMap(([, { armed, by, number }], threshold): Crossing[] => (!armed && by === command.watch ? [{ threshold, number }] : []))
  return [{ ...state, alerts }, { kind: 'watched', crossed, ...standing(state) }]
}

/** What is known of a threshold after this `watch`. */
function look(state: AccountState, threshold: Threshold, by: string, now: number): Alert {
  const level = levelOf(threshold, state.topped)
  const known = state.alerts.get(thresholdKey(threshold)) ?? unknown(state, threshold, level)
  const below = state.balance < level
  const again = threshold.kind === 'top_up' && now - known.toldAt >= threshold.retryMs
  if (!below || !(known.armed || again)) return { ...known, level }
  return { level, armed: false, by, toldAt: now, number: nextNumber(state, threshold, known) }
}

/** A threshold that is new to an account is passed only by a balance that was above it since its last grant; one that keeps the balance up counts at once. */
function unknown({ balance, topped }: AccountState, { kind }: Threshold, level: number): Alert {
  return { level, armed: kind === 'top_up' || Math.max(balance, topped) >= level, by: '', toldAt: 0, number: 0 }
}

/** A top-up keeps its number until it has ended, so that whoever pays for it can tell that it is the same one. */
function nextNumber({ grants }: AccountState, { kind }: Threshold, { number }: Alert): number {
  const underWay = kind === 'top_up' && number > 0 && grants.get(topUpGrant(number)) === undefined
  return underWay ? number : number + 1
}

/** The id of the grant that ends a top-up: with its credits, or with none where it failed. */
export function topUpGrant(number: number): string {
  return `auto-top-up:${number}`
}

/**
 * A grant tells the thresholds anew that it lifts the balance well above: by a tenth, or a few small ones would tell them again and again. Of what is
 * used each begins to count anew, so their level moves with it.
 */
export function rearm(state: AccountState): AccountState {
  const alerts = state.alerts.entries().reduce((before, [key, alert]) => {
    const lifted = key.startsWith('used_') || state.balance >= alert.level + Math.floor(alert.level / 10)
    return !alert.armed && lifted ? before.set(key, { ...alert, armed: true }) : before
  }, state.alerts)
  return { ...state, alerts, topped: state.balance }
}

/** The balance below which a threshold is passed. */
function levelOf(threshold: Threshold, topped: number): number {
  return threshold.kind === 'used' ? topped - Math.ceil(topped * threshold.millionths / 1_000_000) + 1 : threshold.amount
}

/** One account has one top-up under way, whatever its level. */
function thresholdKey(threshold: Threshold): string {
  switch (threshold.kind) {
    case 'below': return `below_${threshold.amount}`
    case 'used': return `used_${threshold.millionths}`
    case 'top_up': return 'top_up'
  }
}
