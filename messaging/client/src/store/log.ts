import { Refused } from '../sealed/errors.ts'
import type { Follower } from '../sealed/follower.ts'
import type { LogState } from '../sealed/wire.ts'
import { Failure } from '../transport/failure.ts'
import type { Base64, Hex, LogPage } from '../transport/wire.ts'
import type { Correspondence } from './correspondence.ts'

const FACT = 'log'
const PAGE = 1_000
const OLD = 30_000
const NO_KEY = `${'A'.repeat(43)}=`
// What a newer answer may mend: the log or the keyring is asked again.
const BEHIND = ['not-logged', 'withheld-entry']
const now = (): number => Math.floor(Date.now() / 1000)

/**
 * Follows the log of keys for all tabs of this device (L1 to L8): at page load, before anything is sealed, and when
 * a sender has seen more of it. What is refused is kept as evidence, and said.
 */
export class LogKeeper {
  /** The code of why the log cannot be trusted, or null. */
  alarm: string | null = null
  onAlarm: (code: string) => void = () => undefined
  readonly #within: Correspondence
  #running: Promise<void> | null = null
  #followedAt = Number.NEGATIVE_INFINITY

  constructor(within: Correspondence) {
    this.#within = within
  }

  /** How many witnesses outside must have signed; 0 where nobody outside watches. */
  get quorum(): number {
    return this.#within.mailbox.log?.quorum ?? 0
  }

  /** Begin with what this device knows. Before the first answer nothing is fresh, so nothing is sealed. */
  async open(): Promise<void> {
    const { info, store, mailbox } = this.#within
    const { openFollower } = await import('../sealed/follower.ts')
    const stored = (await store.fact<LogState>(FACT)) ?? null
    const said = { label_key: stored?.labelKey ?? NO_KEY, witnesses: [], quorum: 0 }
    mailbox.log = await openFollower({ net: info.net, serverKey: info.server_key }, said, stored)
    await this.follow().catch((error) => {
      if (error instanceof Refused) return // said by the alarm
      if (!(error instanceof Failure)) throw error
    })
  }

  /** Take everything new of the log. Raises `Failure` without an answer, `Refused` when the log lies. */
  follow(): Promise<void> {
    this.#running ??= this.#follow().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #follow(): Promise<void> {
    const { info, store, mailbox } = this.#within
    let restore: Base64 | null = null
    try {
      await navigator.locks.request(`messaging:${info.membership.id}:log`, async () => {
        const { openFollower } = await import('../sealed/follower.ts')
        const stored = (await store.fact<LogState>(FACT)) ?? null
        const { page, leaves } = await this.#fetch(stored?.size ?? 0)
        const follower = await openFollower({ net: info.net, serverKey: info.server_key }, page, stored)
        restore = page.restore
        follower.allowUrgent(page.urgent_hours)
        mailbox.log = follower
        await this.#take(follower, page, leaves).finally(async () =>
          store.saveFact(FACT, await follower.export()),
        )
      })
      this.#followedAt = Date.now()
      await this.#checkOwn()
      await this.#answerRestore(restore)
      this.alarm = null
    } catch (error) {
      if (error instanceof Refused) {
        this.#followedAt = Number.NEGATIVE_INFINITY
        this.#say(error.code)
      }
      throw error
    }
  }

  /** L8: after a restore what the server lost goes back, before anything is compared with it. */
  async #answerRestore(restore: Base64 | null): Promise<void> {
    if (restore === null) return
    const { answerRestore } = await import('./handing_back.ts')
    await answerRestore(this.#within, restore)
  }

  async #take(follower: Follower, page: LogPage, leaves: readonly Base64[]): Promise<void> {
    await follower.follow(page.checkpoint, leaves, now())
    if (page.witnessed !== null) await follower.refresh(page.witnessed, now())
  }

  async #fetch(from: number): Promise<{ page: LogPage; leaves: Base64[] }> {
    const leaves: Base64[] = []
    for (;;) {
      const page = await this.#within.rest.get<LogPage>(`log?from=${from + leaves.length}`)
      leaves.push(...page.leaves)
      if (page.leaves.length < PAGE) return { page, leaves }
    }
  }

  /** L3: the log has nothing of the own authority that its own devices did not sign. */
  async #checkOwn(): Promise<void> {
    const { mailbox, principal } = this.#within
    if (mailbox.keyring(principal) === null) return
    const code = await this.#codeOf(principal)
    if (code === 'withheld-entry') await this.#within.learnKeyring(principal)
    else if (code === 'contradicting-leaves')
      throw new Refused('L3', code, 'a foreign entry under the own label')
  }

  async #codeOf(principal: Hex): Promise<string | null> {
    try {
      await this.#within.mailbox.checkLogged(principal)
      return null
    } catch (error) {
      if (error instanceof Refused) return error.code
      throw error
    }
  }

  /** L5: a log that was refused is not sealed by, also where there is no line to ask it again. @throws Refused */
  insistUnrefused(): void {
    if (this.alarm !== null) throw new Refused('L5', this.alarm, 'the log was refused')
  }

  /** Bring the log, and these keyrings by it, up to date, so that sealing to them can be asked (M9). */
  async makeReady(principals: readonly Hex[]): Promise<void> {
    if (Date.now() - this.#followedAt > OLD) await this.follow()
    for (const principal of principals) {
      if (!BEHIND.includes((await this.#codeOf(principal)) ?? '')) continue
      await this.follow()
      await this.#within.learnKeyring(principal)
    }
  }

  #say(code: string): void {
    this.alarm = code
    this.onAlarm(code)
  }
}
