import { AppProcess, type Setup } from './app-process.js'
import type { Where } from './connection.js'

/** How long a reservation of theirs lives without being renewed, ms. */
export const TTL = 1_000
const SIZE = 3

/** Several processes of one app. Who is killed is followed by one that has been started already. */
export class Fleet {
  kills = 0
  /** What their log has of charges that could not be posted. */
  readonly givenUp: string[] = []
  #started = 0
  readonly #apps: AppProcess[] = []
  #spare: Promise<AppProcess>

  private constructor(private readonly program: string, private readonly setup: Omit<Setup, 'clockOff'>, private readonly clocks: readonly number[]) {
    this.#spare = this.#start()
  }

  /** @param clocks how far the hosts' clocks are ahead, ms, in turns */
  static async start(program: string, where: Where, prefix: string, clocks: readonly number[] = [0]): Promise<Fleet> {
    const fleet = new Fleet(program, { where, prefix, reservationTtl: TTL, storeTimeout: 1_000 }, clocks)
    fleet.#apps.push(...await Promise.all(Array.from({ length: SIZE }, () => fleet.#start())))
    return fleet
  }

  get alive(): boolean {
    return this.#apps.some((app) => app.alive)
  }

  /** Where they serve. */
  get urls(): readonly string[] {
    return this.#apps.map(({ url }) => url)
  }

  /** Where one of them does. */
  anyUrl(): string {
    return this.#apps[Math.floor(Math.random() * this.#apps.length)]!.url
  }

  /** SIGKILL to one of them. */
  async killOne(): Promise<void> {
    const spare = await this.#spare
    this.#spare = this.#start()
    const [app] = this.#apps.splice(Math.floor(Math.random() * this.#apps.length), 1, spare)
    this.kills++
    await app!.kill()
  }

  /** SIGKILL to all of them; nobody follows. */
  async killAll(): Promise<void> {
    this.kills += this.#apps.length
    await Promise.all([...this.#apps, await this.#spare].map((app) => app.kill()))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#apps, await this.#spare].filter((app) => app.alive).map((app) => app.close()))
  }

  #start(): Promise<AppProcess> {
    return AppProcess.start(this.program, { ...this.setup, clockOff: this.clocks[this.#started++ % this.clocks.length]! }, (line) => this.givenUp.push(line))
  }
}
