import { AppProcess, type Setup } from './app-process.js'

/** Several processes of one app. Who is killed is followed by one that has been started already. */
export class Fleet {
  kills = 0
  readonly #apps: AppProcess[] = []
  #spare: Promise<AppProcess>

  private constructor(private readonly program: string, private readonly setup: Setup) {
    this.#spare = AppProcess.start(program, setup)
  }

  static async start(program: string, setup: Partial<Setup> & Pick<Setup, 'where' | 'prefix'>, size = 3): Promise<Fleet> {
    const fleet = new Fleet(program, { reservationTtl: 1_000, storeTimeout: 1_000, clockOff: 0, ...setup })
    fleet.#apps.push(...await Promise.all(Array.from({ length: size }, () => AppProcess.start(program, fleet.setup))))
    return fleet
  }

  /** Where one of them serves. */
  anyUrl(): string {
    return this.#apps[Math.floor(Math.random() * this.#apps.length)]!.url
  }

  /** SIGKILL to one of them. */
  async killOne(): Promise<void> {
    const spare = await this.#spare
    this.#spare = AppProcess.start(this.program, this.setup)
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
}
