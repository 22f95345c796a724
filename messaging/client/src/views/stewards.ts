// What those who approve devices change in the keys of their authority, and what waits for a second of them.
import type { Role } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import { deviceWords, RecoveryKit } from '../sealed/keys.ts'
import type { Change } from '../sealed/stewardship.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { Failure } from '../transport/failure.ts'
import type { Base64, DeviceRequest, Hex } from '../transport/wire.ts'
import { dateTime, setTime } from './format.ts'
import { showKit } from './kit.ts'
import { KitEntry } from './kit_entry.ts'
import { announce, byId, clone, fill, hasText, show, showOnly, slot, text } from './page.ts'
import { sentence, showProblem } from './problem.ts'

const RENEW_AFTER = 90 * 86_400
const asHex = (uuid: string): Hex => uuid.replaceAll('-', '')

/** The person does not want it after all. */
class Cancelled extends Error {}

/** One row of GET /api/keyrings/{principal}/approvals. */
export interface WaitingChange {
  id: Hex
  change: Base64
  approvals: Base64[]
  person: string
  name: string
  office: string
  proposed_at: number
}

export class Stewards {
  readonly #within: Correspondence
  readonly #onChanged: () => void
  #waiting: WaitingChange[] = []

  constructor(within: Correspondence, onChanged: () => void) {
    this.#within = within
    this.#onChanged = onChanged
    this.#onPress('rotate', () => this.#carryOut(() => this.#stewardship.rotation()))
    this.#onPress('replace-kit', () => this.#replaceKit())
    this.#onPress('repair', () => this.#carryOut(() => this.#stewardship.repair()))
  }

  get #stewardship() {
    return this.#within.mailbox.stewardship
  }

  get isSteward(): boolean {
    return this.#within.mailbox.myRoles.includes('steward')
  }

  // ---------------------------------------------------------------- what is shown

  show(): void {
    const keyring = this.#within.mailbox.keyring(this.#within.principal)
    if (keyring === null) return
    show(byId('keys-section'), this.isSteward)
    show(byId('keys-unconfirmed'), keyring.isUnconfirmed)
    this.#showAlarm(keyring.broken)
    byId('keys-age').textContent = text('keys-renewed', { time: dateTime(keyring.rotatedAt) })
    show(byId('keys-due'), this.#within.info.server_time - keyring.rotatedAt > RENEW_AFTER)
  }

  /** K7: what does not hold, what it means, and the one thing to do. */
  #showAlarm(code: string | null): void {
    show(byId('keys-broken'), code !== null)
    if (code === null) return
    byId('keys-broken-words').textContent = text(hasText(`broken-${code}`) ? `broken-${code}` : 'broken')
    show(byId('repair-row'), this.isSteward)
    show(byId('repair-ask'), !this.isSteward)
  }

  /** The part of a device's row by which it is changed. */
  offerChanges(row: HTMLElement, device: { device: Hex; roles: readonly Role[] }): void {
    show(slot(row, 'change'), this.isSteward)
    const boxes = [...row.querySelectorAll<HTMLInputElement>('[data-role]')]
    for (const box of boxes) box.checked = device.roles.includes(box.value as Role)
    const wanted = () => boxes.filter((box) => box.checked).map((box) => box.value as Role)
    slot(row, 'change-roles').onclick = () =>
      void this.#act(row, () =>
        this.#carryOut(() => this.#stewardship.roles([{ device: device.device, roles: wanted() }])),
      )
    slot(row, 'remove').onclick = () =>
      void this.#act(row, () => this.#carryOut(() => this.#stewardship.removal([device.device])))
  }

  /** Fetch and show what waits for a second person. */
  async load(): Promise<void> {
    const { rest, principal, info } = this.#within
    // Others may not ask.
    if (!info.device_roles.includes('steward')) return
    const { approvals } = await rest.get<{ approvals: WaitingChange[] }>(`keyrings/${principal}/approvals`)
    this.#waiting = approvals
    const rows = this.#waiting.map((each) => this.#render(each))
    byId('approvals').replaceChildren(...rows.filter((row) => row !== null))
    show(byId('approvals-section'), byId('approvals').childElementCount > 0)
  }

  #render(waiting: WaitingChange): HTMLElement | null {
    const change = this.#read(waiting)
    if (change === null) return null
    const row = clone('approval-row')
    const isMine = asHex(waiting.person) === asHex(this.#within.info.person.id)
    fill(row, { what: this.#words(change), who: text('approval-by', { name: waiting.name }) })
    setTime(slot(row, 'time'), waiting.proposed_at)
    const [approve, same] = [slot<HTMLButtonElement>(row, 'approve'), slot<HTMLInputElement>(row, 'same')]
    show(slot(row, 'compare'), this.isSteward && !isMine)
    show(approve, this.isSteward && !isMine)
    same.onchange = () => {
      approve.disabled = !same.checked
    }
    const isRecovery = change.reason === 'recover'
    if (isRecovery) void this.#showCode(row, change)
    approve.onclick = () =>
      void this.#act(row, () => (isRecovery ? this.#agree(change) : this.#complete(waiting, change)))
    slot(row, 'withdraw').onclick = () => void this.#act(row, () => this.#withdraw(waiting))
    return row
  }

  /** Null when it was made for keys that have changed since: it cannot be carried out any more. */
  #read(waiting: WaitingChange): Change | null {
    try {
      return this.#stewardship.read(waiting.change)
    } catch (error) {
      if (error instanceof Refused) return null
      throw error
    }
  }

  /** By the names that the devices signed, not by what the server says. */
  #words(change: Change): string {
    const devices = this.#within.mailbox.keyring(this.#within.principal)?.devices ?? []
    const nameOf = (id: Hex) => devices.find(({ device }) => device === id)?.name ?? id.slice(0, 8)
    const rows = [...change.added, ...change.changed]
    const about = [...rows.map(({ device }) => device), ...change.removed]
    const roles = rows.flatMap((each) => each.roles).map((role) => text(`role-${role}`))
    return text(`change-${change.reason}`, { names: about.map(nameOf).join(', '), roles: roles.join(', ') })
  }

  // ---------------------------------------------------------------- what is done

  /** Put a change in force, or ask for what it needs first; false: it waits for a second person. */
  async #carryOut(make: () => Change | Promise<Change>): Promise<boolean> {
    for (let attempt = 0; ; attempt += 1) {
      await this.#within.learnKeyring(this.#within.principal)
      const change = await make()
      try {
        return await this.#settle(change)
      } catch (error) {
        // Another steward was faster with another entry: build on that one.
        if (!(error instanceof Failure && error.code === 'stale-epoch') || attempt >= 2) throw error
      }
    }
  }

  /** K6: who has to agree, and how it is asked for. */
  async #settle(change: Change): Promise<boolean> {
    const need = this.#stewardship.need(change)
    const isAsked = need === 'steward' || (need === 'advised' && (await this.#wantsSecondPerson()))
    if (isAsked) await this.#ask(change)
    else await this.#send(change, need === 'recovery-key' ? [await this.#approvedByKit(change)] : [])
    return !isAsked
  }

  /** Let a device in that approves devices itself. False: it waits for a second person (K6). */
  letIn(statement: Base64): Promise<boolean> {
    return this.#carryOut(() => this.#stewardship.addition([{ statement, roles: ['steward'] }]))
  }

  /** Those of the devices that a change lists anew: they have asked, and a change names them by their ids. */
  async #statementsOf({ added }: Change): Promise<Base64[]> {
    if (added.length === 0) return []
    const { requests } = await this.#within.rest.get<{ requests: DeviceRequest[] }>('devices/requests')
    const wanted = requests.filter(({ device }) => added.some((each) => each.device === device))
    return wanted.map(({ statement }) => statement)
  }

  /** The own approval waits on the server for a colleague, who puts the change in force with it. */
  async #ask(change: Change): Promise<void> {
    const { rest, principal } = this.#within
    const approval = await this.#stewardship.approve(change)
    await rest.post(`keyrings/${principal}/approvals`, { change: change.encoded, approval })
    announce(text('keys-wait'))
    byId('keys-said').textContent = text('keys-wait')
    await this.load()
  }

  /** A colleague's device that approves devices: at once, or with a second person. @throws Cancelled */
  #wantsSecondPerson(): Promise<boolean> {
    const dialog = byId<HTMLDialogElement>('remove-steward')
    return new Promise((resolve, reject) => {
      const close = (answer: boolean) => () => {
        resolve(answer)
        dialog.close()
      }
      byId('remove-together').onclick = close(true)
      byId('remove-at-once').onclick = close(false)
      byId('remove-cancel').onclick = () => dialog.close()
      dialog.onclose = () => reject(new Cancelled())
      dialog.showModal()
    })
  }

  async #send(change: Change, approvals: Base64[]): Promise<void> {
    const { rest, principal } = this.#within
    const statements = await this.#statementsOf(change)
    const entry = await this.#stewardship.make(change, { approvals, statements })
    await rest.post(`keyrings/${principal}/entries`, entry)
    await this.#within.learnKeyring(principal)
    this.#within.saveSoon()
    announce(text('keys-done'))
    byId('keys-said').textContent = text('keys-done')
    this.#onChanged()
    // What was pressed may be gone.
    byId('devices-heading').focus()
  }

  async #complete(waiting: WaitingChange, change: Change): Promise<void> {
    await this.#send(change, waiting.approvals)
    await this.load()
  }

  /** K11: only the kit makes this entry; the own approval lets the counterparts go on with it. */
  async #agree(change: Change): Promise<void> {
    const { rest, principal } = this.#within
    const approval = await this.#stewardship.approve(change)
    await rest.post(`keyrings/${principal}/approvals`, { change: change.encoded, approval })
    announce(text('keys-agreed'))
    byId('keys-said').textContent = text('keys-agreed')
    byId('devices-heading').focus()
  }

  /** The code that whoever restores reads out: no statement of that device is here yet. */
  async #showCode(row: HTMLElement, change: Change): Promise<void> {
    const codes = await Promise.all(
      change.added.map(({ device }) => deviceWords(this.#within.info.net, device)),
    )
    slot(row, 'code').textContent = codes.join(' / ')
    show(slot(row, 'code-line'), codes.length > 0)
  }

  async #withdraw(waiting: WaitingChange): Promise<void> {
    const { rest, principal } = this.#within
    await rest.post(`keyrings/${principal}/approvals/${waiting.id}/withdraw`)
    await this.load()
  }

  /** Ask for the kit in a dialog. @throws Cancelled */
  #approvedByKit(change: Change): Promise<Base64> {
    const dialog = byId<HTMLDialogElement>('kit-approval')
    return new Promise((resolve, reject) => {
      const entry = new KitEntry(byId('kit-approval-form'), this.#within.info.net, async (kit) => {
        resolve(await this.#stewardship.approveWithKit(change, kit))
        dialog.close()
      })
      byId('kit-approval-cancel').onclick = () => dialog.close()
      dialog.onclose = () => {
        entry.clear()
        reject(new Cancelled())
      }
      dialog.showModal()
    })
  }

  /** A new kit is shown, typed back, and only then put in force: the old one is good until that moment. */
  async #replaceKit(): Promise<void> {
    const kit = RecoveryKit.create()
    const leaving = new AbortController()
    showOnly(['kit', 'step-ready'], 'kit')
    byId('kit').querySelector('h2')?.focus()
    try {
      await showKit(kit, this.#within.info, this.#within.principal, leaving.signal)
    } finally {
      showOnly(['kit', 'step-ready'], 'step-ready')
    }
    await this.#carryOut(() => this.#stewardship.newRecoveryKey(kit))
  }

  async #act(row: HTMLElement, work: () => Promise<unknown>): Promise<void> {
    row.inert = true
    showProblem(byId('keys-problem'), null)
    try {
      await work()
    } catch (error) {
      if (error instanceof Cancelled) return
      const own = row.querySelector('[data-slot="problem"]')
      if (own) own.textContent = sentence(error)
      else showProblem(byId('keys-problem'), error)
    } finally {
      row.inert = false
    }
  }

  #onPress(id: string, work: () => Promise<unknown>): void {
    byId(id).onclick = () => void this.#act(byId('keys-section'), work)
  }
}
