import type { Correspondence } from '../store/correspondence.ts'
import { Failure } from '../transport/failure.ts'
import type { DeviceRequest } from '../transport/wire.ts'
import { setTime } from './format.ts'
import { announce, byId, clone, fill, show, slot, text } from './page.ts'
import { sentence } from './problem.ts'
import type { Stewards } from './stewards.ts'

/** Requests of colleagues' devices, with the words to compare before one of them is let in. */
export class RequestList {
  readonly #within: Correspondence
  readonly #stewards: Stewards
  readonly #onApproved: () => void

  constructor(within: Correspondence, stewards: Stewards, onApproved: () => void) {
    this.#within = within
    this.#stewards = stewards
    this.#onApproved = onApproved
  }

  async load(): Promise<void> {
    const { requests } = await this.#within.rest.get<{ requests: DeviceRequest[] }>('devices/requests')
    const listed = new Set(
      this.#within.mailbox.keyring(this.#within.principal)?.devices.map((each) => each.device),
    )
    const open = requests.filter((request) => request.status === 'requested' && !listed.has(request.device))
    open.sort((one, other) => one.requested_at - other.requested_at)
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
      const { name, office, words } = await this.#within.mailbox.own.readDeviceRequest(request.statement)
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

  /** What was pressed is gone afterwards: the focus goes to the heading, the outcome is said. */
  async #act(element: HTMLElement, work: () => Promise<string>): Promise<void> {
    element.inert = true
    try {
      const said = await work()
      announce(text(said, { name: slot(element, 'name').textContent ?? '' }))
      await this.load()
      this.#onApproved()
      byId('requests-heading').focus()
    } catch (error) {
      element.inert = false
      fill(element, { problem: sentence(error) })
    }
  }

  async #approve(request: DeviceRequest): Promise<string> {
    const { info, mailbox, principal, rest } = this.#within
    // The secretariat's devices keep its keys and read nothing.
    if (info.authority.kind === 'secretariat')
      return (await this.#stewards.letIn(request.statement)) ? 'device-approved' : 'keys-wait'
    for (let attempt = 0; ; attempt += 1) {
      await this.#within.learnKeyring(principal)
      const body = await mailbox.own.makeAddition([{ statement: request.statement, roles: ['officer'] }])
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
    return 'device-approved'
  }

  async #decline(request: DeviceRequest): Promise<string> {
    await this.#within.rest.post(`devices/requests/${request.device}/decline`)
    return 'device-turned-down'
  }
}
