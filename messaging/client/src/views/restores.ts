// A directory officer stands for a restore of the network (L8): what its operator says, signed by this device after it
// has found that the log of keys is the one that it followed before.
import type { Base64, Hex } from '../sealed/wire.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import { dateTime } from './format.ts'
import { announce, byId, fill, show, text } from './page.ts'
import { showProblem } from './problem.ts'
import { openMailroom } from './session.ts'

interface OpenRestore {
  readonly serial: number
  readonly log_size: number
  readonly log_root: Hex
  readonly cause: string
  readonly begun_at: number
  readonly signatures: number
  readonly is_announced: boolean
}

const LOOK_EVERY = 15_000

export async function showRestores(rest: Rest): Promise<void> {
  const mailroom = await openMailroom(rest)
  if (mailroom === null) return
  const view = new RestoresView(mailroom.correspondence)
  await view.load()
  show(byId('loading'), false)
  mailroom.session.socket.connect()
  setInterval(() => void view.load().catch(orLater), LOOK_EVERY)
}

class RestoresView {
  readonly #within: Correspondence
  readonly #told = byId<HTMLInputElement>('restore-told')
  readonly #button = byId<HTMLButtonElement>('restore-signs')
  #isSigned = false

  constructor(within: Correspondence) {
    this.#within = within
    this.#told.onchange = () => this.#enable()
  }

  async load(): Promise<void> {
    const { restores } = await this.#within.rest.get<{ restores: OpenRestore[] }>('restores')
    const found = restores[0]
    show(byId('no-restore'), found === undefined)
    show(byId('restore'), found !== undefined)
    if (found !== undefined) this.#show(found)
  }

  #show(found: OpenRestore): void {
    fill(byId('restore'), {
      cause: found.cause,
      begun: dateTime(found.begun_at),
      size: String(found.log_size),
      signatures: text('signatures-of-two', { count: found.signatures }),
    })
    show(byId('restore-announced'), found.is_announced)
    show(byId('restore-sign'), !found.is_announced && !this.#isSigned)
    this.#button.onclick = () => void this.#sign(found)
    this.#enable()
  }

  #enable(): void {
    this.#button.disabled = !this.#told.checked
  }

  async #sign(found: OpenRestore): Promise<void> {
    this.#button.disabled = true
    showProblem(byId('restores-problem'), null)
    try {
      const statement = await this.#statement(found)
      await this.#within.rest.post(`restores/${found.serial}/signatures`, { statement })
      this.#isSigned = true
      announce(text('restore-signed'))
      await this.load()
      byId('restores-heading').focus()
    } catch (error) {
      showProblem(byId('restores-problem'), error)
    } finally {
      this.#enable()
    }
  }

  /** @throws Refused where this device was shown another log before */
  async #statement({ serial, log_size, log_root, cause }: OpenRestore): Promise<Base64> {
    const { mailbox, log, principal } = this.#within
    await this.#within.learnKeyring(principal)
    await log.follow()
    return mailbox.stewardship.restore({ serial, size: log_size, root: log_root, cause }, mailbox.log)
  }
}
