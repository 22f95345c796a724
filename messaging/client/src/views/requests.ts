import type { Correspondence } from '../store/correspondence.ts'
import { Failure } from '../transport/failure.ts'
import type { DeviceRequest } from '../transport/wire.ts'
import { setTime } from './format.ts'
import { byId, clone, fill, show, slot } from './page.ts'
import { sentence } from './problem.ts'

/** Requests of colleagues' devices, with the words to compare before one of them is let in. */
export class RequestList {
  readonly #within: Correspondence
  readonly #onApproved: () => void

  constructor(within: Correspondence, onApproved: () => void) {
    this.#within = within
    this.#onApproved = onApproved
  }

  async load(): Promise<void> {
    const { requests } = await this.#within.rest.get<{ requests: DeviceRequest[] }>('devices/requests')
    const listed = new Set(
      this.#within.mailbox.keyring(this.#within.principal)?.devices.map((each) => each.device),
    )
    const open = requests.filter((request) => request.status === 'requested' && !listed.has(request.device))
    const rows = await Promise.all(open.map((request) => this.#render(request)))
    byId('requests').replaceChildren(...rows)
    show(byId('no-requests'), rows.length === 0)
  }

  async #render(request: DeviceRequest): Promise<HTMLElement> {
    const element = clone('device-request')
    const isSteward = this.#within.mailbox.myRoles.includes('steward')
    show(slot(element, 'may-approve'), isSteward)
    show(slot(element, 'not-steward'), !isSteward)
    setTime(slot(element, 'time'), request.requested_at)
    try {
      // Name, office and words are those the device signed, not those the server says.
      const { name, office, words } = await this.#within.mailbox.readDeviceRequest(request.statement)
      fill(element, { name, office, words })
    } catch (error) {
      fill(element, { name: request.name, office: request.office, problem: sentence(error) })
      show(slot(element, 'may-approve'), false)
    }
    const approve = slot<HTMLButtonElement>(element, 'approve')
    const same = slot<HTMLInputElement>(element, 'same')
    same.addEventListener('change', () => {
      approve.disabled = !same.checked
    })
    approve.addEventListener('click', () => void this.#act(element, () => this.#approve(request)))
    slot(element, 'decline').addEventListener(
      'click',
      () => void this.#act(element, () => this.#decline(request)),
    )
    return element
  }

  async #act(element: HTMLElement, work: () => Promise<void>): Promise<void> {
    element.inert = true
    try {
      await work()
      await this.load()
      this.#onApproved()
    } catch (error) {
      element.inert = false
      fill(element, { problem: sentence(error) })
    }
  }

  async #approve(request: DeviceRequest): Promise<void> {
    const { mailbox, principal, rest } = this.#within
    for (let attempt = 0; ; attempt += 1) {
      await this.#within.learnKeyring(principal)
      const body = await mailbox.makeAddition([{ statement: request.statement, roles: ['officer'] }])
      try {
        await rest.post(`keyrings/${principal}/entries`, body)
        break
      } catch (error) {
        // Another steward was faster with another entry: build on that one.
        if (!(error instanceof Failure && error.code === 'stale-epoch') || attempt >= 2) throw error
      }
    }
    await this.#within.learnKeyring(principal)
    this.#within.saveSoon()
  }

  async #decline(request: DeviceRequest): Promise<void> {
    await this.#within.rest.post(`devices/requests/${request.device}/decline`)
  }
}
