import { Refused } from '../sealed/errors.ts'
import type { AuthorityRow, Hex } from '../transport/wire.ts'
import { AuthorityChooser, describeDesk } from './authority_chooser.ts'
import { comparisonOf, knownLevels, showLevel } from './levels.ts'
import { byId, fill, show, text } from './page.ts'
import { showProblem } from './problem.ts'
import type { Mailroom } from './session.ts'

/** An authority that is chosen from the list: its office, its fingerprint, and how far it is known. */
export class ChosenAuthority {
  readonly #mailroom: Mailroom
  readonly #chooser: AuthorityChooser
  authority: AuthorityRow | null = null
  /** Null while nothing is chosen, or what is chosen has no keys. */
  to: { authority: string; principal: Hex } | null = null
  /** Hears of every authority that is shown as chosen, also of one that a draft or the address names. */
  onChosen: () => void = () => undefined

  constructor(mailroom: Mailroom, onChoose: () => void) {
    this.#mailroom = mailroom
    this.#chooser = new AuthorityChooser((authority) => {
      this.choose(authority)
      onChoose()
    })
    byId('authority-change').addEventListener('click', () => this.choose(null))
  }

  /** Lists those whom the page offers; the secretariat can never be in a thread. */
  async load(
    authorities: readonly AuthorityRow[],
    isOffered: (authority: AuthorityRow) => boolean,
  ): Promise<void> {
    this.#chooser.fill(authorities.filter((each) => each.state !== null && isOffered(each)))
    this.#chooser.showLevels(await knownLevels(this.#mailroom.correspondence.store))
  }

  find(fits: (authority: AuthorityRow) => boolean): AuthorityRow | undefined {
    return this.#chooser.find(fits)
  }

  choose(authority: AuthorityRow | null): void {
    this.authority = authority
    this.to = authority?.principal ? { authority: authority.id, principal: authority.principal } : null
    show(byId('authority-chooser'), authority === null)
    show(byId('authority-chosen'), authority !== null)
    show(byId('authority-problem'), false)
    if (authority === null) {
      this.#chooser.reset()
      return
    }
    const place = byId('authority-chosen')
    fill(place, { name: authority.name, state: authority.state_name ?? '' })
    describeDesk(place, authority)
    show(byId('authority-keys'), authority.principal !== null)
    show(byId('authority-no-keys'), authority.principal === null)
    byId('authority-change').focus()
    this.onChosen()
    void this.#showFingerprint()
  }

  /** Of what the address of the page names. */
  showUnknown(): void {
    byId('authority-problem').textContent = text('authority-unknown')
    show(byId('authority-problem'), true)
  }

  /** K8: digits are shown, and anything is sealed, only when keyring and authority belong together. */
  async #showFingerprint(): Promise<void> {
    const [place, to] = [byId('authority-chosen'), this.to]
    fill(place, { digits: '' })
    if (to === null) return
    const { correspondence } = this.#mailroom
    try {
      const keyring = await correspondence.learnKeyring(to.principal)
      correspondence.mailbox.checkAuthority(to.authority, to.principal)
      if (this.to !== to) return
      fill(place, { digits: keyring.fingerprint })
      await this.#showLevel(place, to)
    } catch (error) {
      if (this.to !== to) return
      if (error instanceof Refused) this.choose(null)
      showProblem(byId('authority-problem'), error)
    }
  }

  /** K8: how far it is known; nothing is sealed to a stranger, and where that is mended is said before writing. */
  async #showLevel(place: HTMLElement, to: { authority: string; principal: Hex }): Promise<void> {
    const { correspondence } = this.#mailroom
    await correspondence.look([to.principal])
    const level = correspondence.mailbox.keyring(to.principal)?.level ?? 'new'
    if (this.to !== to) return
    showLevel(place, { level })
    show(byId('not-compared'), level === 'seen' || level === 'new')
    for (const link of place.querySelectorAll<HTMLAnchorElement>('[data-slot="comparison"]'))
      link.href = comparisonOf(to.authority)
  }
}
