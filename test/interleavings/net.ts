import { apply, emptyAccount, isLedgerCommand, type AccountState, type Command, type LedgerCommand, type LedgerReply, type Release, type ReplyTo, type Settle, type Store } from '@farebox/core'

/** A command on its way: nothing happens to it unless it is said. */
interface Flight {
  readonly id: string
  readonly process: string
  readonly command: LedgerCommand
  /** What its sender still waits for. `undefined`: it has been told that the store failed, or is dead. */
  sender: { answer(reply: LedgerReply): void; fail(error: Error): void } | undefined
}

/** What has been carried out, and what it said. */
export interface Done {
  readonly command: LedgerCommand
  readonly reply: LedgerReply
  readonly now: number
  readonly before: AccountState
}

/** One account, and the wire between it and the processes that ask about it. Which command arrives when is the explorer's. */
export class Net {
  state: AccountState = emptyAccount
  readonly flights = new Map<string, Flight>()
  readonly done: Done[] = []
  /** What each process has seen happen, in its order: what it does next depends on nothing else. */
  readonly seen = new Map<string, string[]>()
  /** Everything goes through at once, or nothing does, or it waits to be told. */
  mode: 'waits' | 'healthy' | 'cut' = 'waits'
  readonly #dead = new Set<string>()
  readonly #sent = new Map<string, number>()
  /** Reservations whose end a process has not been able to tell. */
  readonly #untold = new Map<string, Set<string>>()

  constructor(private readonly now: () => number) {}

  storeOf(process: string): Store {
    return {
      name: 'explored',
      durable: true,
      send: <C extends Command>(command: C) => this.#send(process, command) as Promise<ReplyTo<C>>,
      close: () => Promise.resolve(),
    }
  }

  /** What every process has seen. */
  note(what: string): void {
    for (const seen of this.seen.values()) seen.push(what)
  }

  noteOf(process: string, what: string): void {
    const seen = this.seen.get(process) ?? []
    this.seen.set(process, [...seen, what])
  }

  /** It is carried out, and who sent it is told, if that one still listens. */
  arrive(id: string): void {
    const flight = this.#land(id)
    const reply = this.#carryOut(flight.command)
    if (!flight.sender) return
    this.noteOf(flight.process, `${flight.command.kind} ${JSON.stringify(reply)}`)
    if (isEnd(flight.command)) this.#untold.get(flight.process)?.delete(flight.command.reservation)
    flight.sender.answer(reply)
  }

  /** It is carried out, and who sent it is told that the store failed. */
  loseReply(id: string): void {
    const flight = this.#land(id)
    this.#carryOut(flight.command)
    this.#fail(flight)
  }

  /** Who sent it is told that the store failed; it may still arrive, or never. */
  delay(id: string): void {
    this.#fail(this.flights.get(id)!)
  }

  drop(id: string): void {
    this.#land(id)
  }

  isOrphan(id: string): boolean {
    return !this.flights.get(id)!.sender
  }

  /** A process that is killed sends nothing more and hears nothing more. */
  kill(process: string): void {
    this.#dead.add(process)
    this.seen.set(process, ['dead'])
    for (const flight of this.flights.values()) if (flight.process === process) flight.sender = undefined
  }

  isDead(process: string): boolean {
    return this.#dead.has(process)
  }

  /** Whether a process has an ending to tell again. */
  keeps(process: string): boolean {
    return !this.isDead(process) && (this.#untold.get(process)?.size ?? 0) > 0
  }

  #send(process: string, command: Command): Promise<unknown> {
    if (this.isDead(process)) return new Promise(() => {})
    // What no account owns is learned figures: nobody pays by them.
    if (!isLedgerCommand(command)) return Promise.resolve({ kind: 'counted' })
    if (this.mode === 'healthy') return Promise.resolve(this.#carryOut(command))
    if (this.mode === 'cut') return Promise.reject(new Error('cut off'))
    return new Promise((answer, fail) => {
      // Numbered by its sender: other processes' commands don't change its name.
      const nth = (this.#sent.get(process) ?? 0) + 1
      this.#sent.set(process, nth)
      const id = `${command.kind} ${process}${nth}`
      this.flights.set(id, { id, process, command, sender: { answer, fail } })
    })
  }

  #carryOut(command: LedgerCommand): LedgerReply {
    const before = this.state
    const [state, reply] = apply(before, command, this.now())
    this.state = state
    this.done.push({ command, reply, now: this.now(), before })
    return reply
  }

  #land(id: string): Flight {
    const flight = this.flights.get(id)!
    this.flights.delete(id)
    return flight
  }

  #fail(flight: Flight): void {
    const { sender } = flight
    flight.sender = undefined
    this.noteOf(flight.process, `${flight.command.kind} failed`)
    if (isEnd(flight.command)) this.#untold.set(flight.process, (this.#untold.get(flight.process) ?? new Set()).add(flight.command.reservation))
    sender?.fail(new Error('the store failed'))
  }
}

function isEnd(command: LedgerCommand): command is Settle | Release {
  return command.kind === 'settle' || command.kind === 'release'
}
