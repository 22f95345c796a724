// For whom the own authority answers (K9): practitioners ask with a code that a supervisor compares by voice.
import type { Practice } from '../sealed/practice.ts'
import type { Change } from '../sealed/stewardship.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { Failure, orLater } from '../transport/failure.ts'
import type { Rest } from '../transport/rest.ts'
import type { Base64, Hex } from '../transport/wire.ts'
import { dayNumber, dueDate, dueOf, fieldOf, setTime } from './format.ts'
import { inTurn } from './in_turn.ts'
import { announce, byId, clone, fill, show, slot, text } from './page.ts'
import { sentence } from './problem.ts'
import { openMailroom } from './session.ts'
import type { WaitingChange } from './stewards.ts'

const LOOK_EVERY = 5_000
const ATTEMPTS = 3
// A year and a day, less what days of the calendar and the clock may add.
const LONGEST_DAYS = 364
// Whom this browser has answered for, and who has not been listed yet: the practitioner's own browser makes keys first.
const ANSWERED = 'answered-for'
const now = (): number => Math.floor(Date.now() / 1000)

/** One row of GET /api/practitioners. */
interface Asking {
  device: Hex
  statement: Base64
  status: string
  principal: Hex | null
  sponsoring: Base64 | null
  requested_at: number
}

/** What a practitioner has put forward: a further device, for a supervisor to agree to. */
interface Further {
  readonly waiting: WaitingChange
  readonly words: string
}

export async function showPractitioners(rest: Rest): Promise<void> {
  const mailroom = await openMailroom(rest)
  if (mailroom === null) return
  const view = new PractitionersView(mailroom.correspondence)
  mailroom.session.hear = { 'messaging.keyring.grew': () => void view.load().catch(orLater) }
  await view.load()
  show(byId('loading'), false)
  show(byId('practitioners'), true)
  mailroom.session.socket.connect()
  setInterval(() => void (document.hidden || view.load().catch(orLater)), LOOK_EVERY)
}

class PractitionersView {
  readonly #within: Correspondence
  #shown = ''
  #isBusy = false

  constructor(within: Correspondence) {
    this.#within = within
  }

  async #practice(): Promise<Practice> {
    return (await this.#within.mailbox.membership()).practice
  }

  /** Fetch and show who asks and who is answered for; what is as before stays as it is, with what was typed. */
  readonly load = inTurn(() => this.#load())

  async #load(): Promise<void> {
    if (this.#isBusy) return
    const { rest, mailbox, principal } = this.#within
    const { practitioners } = await rest.get<{ practitioners: Asking[] }>('practitioners')
    await this.#within.learnKeyring(principal)
    await this.#listAnswered(practitioners)
    const answered = await (await this.#practice()).answered()
    const further = new Map<Hex, Further[]>()
    for (const { practitioner } of answered) further.set(practitioner, await this.#furtherOf(practitioner))
    const seen = JSON.stringify([practitioners, answered, [...further], mailbox.myRoles])
    if (seen === this.#shown) return
    this.#shown = seen
    const isListed = (row: Asking) => answered.some(({ practitioner }) => practitioner === row.principal)
    const isSupervisor = mailbox.myRoles.includes('supervisor') && mailbox.myRoles.includes('steward')
    show(byId('not-supervisor'), !isSupervisor)
    const asking = practitioners.filter((row) => row.principal === null && row.status === 'requested')
    const rows = await Promise.all(asking.map((row) => this.#renderAsking(row, isSupervisor)))
    byId('asking').replaceChildren(...rows)
    show(byId('nobody-asks'), rows.length === 0)
    const listed = practitioners.filter(isListed)
    const lines = await Promise.all(
      listed.map(async (row) => {
        const of = answered.find(({ practitioner }) => practitioner === row.principal)
        return this.#renderListed(row, of?.until ?? 0, further.get(row.principal ?? '') ?? [])
      }),
    )
    byId('answered').replaceChildren(...lines)
    show(byId('answered-section'), lines.length > 0)
  }

  async #renderAsking(row: Asking, isSupervisor: boolean): Promise<HTMLElement> {
    const element = clone('asking-row')
    setTime(slot(element, 'time'), row.requested_at)
    const isAnswered = row.sponsoring !== null
    show(slot(element, 'compare'), isSupervisor && !isAnswered)
    show(slot(element, 'waits'), isAnswered)
    const [same, until] = [slot<HTMLInputElement>(element, 'same'), slot<HTMLInputElement>(element, 'until')]
    const answer = slot<HTMLButtonElement>(element, 'answer')
    const today = dayNumber(now())
    until.min = fieldOf((today + 1) * 86_400)
    until.max = fieldOf((today + LONGEST_DAYS) * 86_400)
    until.value = until.max
    try {
      const { name, office, words } = await (await this.#practice()).read(row.statement)
      fill(element, { name, office, words })
    } catch (error) {
      fill(element, { problem: sentence(error) })
      show(slot(element, 'compare'), false)
    }
    same.onchange = () => {
      answer.disabled = !same.checked
    }
    answer.onclick = () => {
      if (until.reportValidity()) void this.#act(element, () => this.#answer(row, dueOf(until.value)))
    }
    return element
  }

  async #renderListed(row: Asking, until: number, further: readonly Further[]): Promise<HTMLElement> {
    const element = clone('answered-row')
    const { name, office } = await (await this.#practice()).read(row.statement)
    const isOver = until < now()
    fill(element, {
      name,
      office,
      until: text(isOver ? 'answer-ended' : 'answer-until', { date: dueDate(until) }),
    })
    slot(element, 'end').onclick = () => void this.#act(element, () => this.#end(row.principal as Hex))
    slot(element, 'further').replaceChildren(
      ...further.map((one) => this.#renderFurther(row.principal as Hex, one)),
    )
    return element
  }

  #renderFurther(practitioner: Hex, { waiting, words }: Further): HTMLElement {
    const element = clone('further-row')
    fill(element, { words })
    const [same, agree] = [slot<HTMLInputElement>(element, 'same'), slot<HTMLButtonElement>(element, 'agree')]
    same.onchange = () => {
      agree.disabled = !same.checked
    }
    agree.onclick = () => void this.#act(element, () => this.#agree(practitioner, waiting))
    return element
  }

  /** Those of a practitioner's further devices to which nobody of the own authority has agreed. */
  async #furtherOf(practitioner: Hex): Promise<Further[]> {
    const { rest, info } = this.#within
    const { deviceWords } = await import('../sealed/keys.ts')
    await this.#within.learnKeyring(practitioner)
    const path = `keyrings/${practitioner}/approvals`
    const { approvals } = await rest.get<{ approvals: WaitingChange[] }>(path)
    const practice = await this.#practice()
    const open = approvals.filter((each) => each.approvals.length === 0)
    return Promise.all(
      open.map(async (waiting) => {
        const devices = practice.addedBy(practitioner, waiting.change)
        const words = await Promise.all(devices.map((device) => deviceWords(info.net, device)))
        return { waiting, words: words.join(' / ') }
      }),
    )
  }

  // ---------------------------------------------------------------- what is done

  async #answer({ device, statement }: Asking, until: number | null): Promise<string> {
    const { rest, store } = this.#within
    const signed = await (await this.#practice()).sponsor(statement, until ?? undefined)
    await rest.post(`practitioners/${device}/sponsor`, { statement: signed })
    await store.saveFact(ANSWERED, [...((await store.fact<Hex[]>(ANSWERED)) ?? []), device])
    return 'answered-for'
  }

  /** Lists whom this browser has answered for, as soon as their own browsers have made keys. */
  async #listAnswered(rows: readonly Asking[]): Promise<void> {
    const { store } = this.#within
    const waiting = (await store.fact<Hex[]>(ANSWERED)) ?? []
    for (const { device, principal, sponsoring } of rows) {
      if (!waiting.includes(device) || principal === null || sponsoring === null) continue
      await this.#within.learnKeyring(principal)
      const listed = await (await this.#practice()).answered()
      const isListed = listed.some(({ practitioner }) => practitioner === principal) // by another tab, say
      if (!isListed) await this.#change((practice) => practice.listing(principal, sponsoring))
      const left = ((await store.fact<Hex[]>(ANSWERED)) ?? []).filter((one) => one !== device)
      await store.saveFact(ANSWERED, left)
    }
  }

  async #end(practitioner: Hex): Promise<string> {
    const practice = await this.#practice()
    const { end } = await practice.ending(practitioner)
    await this.#change((now) => now.without(practitioner), [end])
    return 'answers-no-more'
  }

  async #agree(practitioner: Hex, { change }: WaitingChange): Promise<string> {
    const approval = await (await this.#practice()).approve(practitioner, change)
    await this.#within.rest.post(`keyrings/${practitioner}/approvals`, { change, approval })
    return 'agreed-to-browser'
  }

  /** Puts another list of those answered for into the own keyring; anew where a colleague's entry was first. */
  async #change(
    rows: (practice: Practice) => ReturnType<Practice['listing']>,
    approvals: readonly Base64[] = [],
  ): Promise<void> {
    const { mailbox, rest, principal } = this.#within
    for (let attempt = 1; ; attempt += 1) {
      await this.#within.learnKeyring(principal)
      const change: Change = mailbox.stewardship.sponsoring(rows(await this.#practice()))
      try {
        await rest.post(
          `keyrings/${principal}/entries`,
          await mailbox.stewardship.make(change, { approvals }),
        )
        break
      } catch (error) {
        if (!(error instanceof Failure && error.code === 'stale-epoch') || attempt === ATTEMPTS) throw error
      }
    }
    await this.#within.learnKeyring(principal)
    this.#within.saveSoon()
  }

  /** What was pressed is gone afterwards: the focus goes to the heading, the outcome is said. */
  async #act(element: HTMLElement, work: () => Promise<string>): Promise<void> {
    element.inert = true
    this.#isBusy = true
    try {
      const said = await work()
      announce(text(said))
      byId('practitioners-said').textContent = text(said)
      byId('practitioners-heading').focus()
    } catch (error) {
      fill(element, { problem: sentence(error) })
    } finally {
      element.inert = false
      this.#isBusy = false
    }
    await this.load().catch(orLater)
  }
}
