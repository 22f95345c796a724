import type { KeyringJson, OpenedMessage } from '../sealed/client.ts'
import { toHex } from '../sealed/encoding.ts'
import {
  type DisclosedMessage,
  disclose,
  makeMessageRecord,
  makeThreadRecord,
  type NamedAuthority,
  OpeningCode,
  type RecordSource,
} from '../sealed/record.ts'
import type { AnchorPlace } from '../sealed/record_anchors.ts'
import type { ConfirmedKeyring } from '../sealed/record_confirms.ts'
import type { WholeLog } from '../sealed/record_log.ts'
import { fetchKeyring } from '../store/keyrings.ts'
import type { Reading } from '../store/reading.ts'
import { messagesOf, summarise } from '../store/summary.ts'
import type { Rest } from '../transport/rest.ts'
import type { Base64, Hex, LogPage, SessionInfo, ThreadRow } from '../transport/wire.ts'
import { versionsOf } from './evidence.ts'
import { setTime } from './format.ts'
import { announce, byId, paragraphs, show, slot, text } from './page.ts'
import { showProblem } from './problem.ts'
import { makePage } from './record_page.ts'
import type { Mailroom } from './session.ts'
import { openThreadOfPage } from './thread_of_page.ts'

const LOG_PAGE = 1_000
const now = (): number => Math.floor(Date.now() / 1000)

export async function showRecord(rest: Rest): Promise<void> {
  const opened = await openThreadOfPage(rest)
  if (opened === null) return
  const { mailroom, row, reading } = opened
  new RecordView(mailroom, row, reading).start()
}

/** What is fetched once a record is made: verified again, entry by entry, by sealed/record.ts. */
interface Exported {
  readonly log: WholeLog
  readonly source: RecordSource
  readonly keyrings: readonly ConfirmedKeyring[]
  readonly secretariat: KeyringJson | null
  readonly authorities: readonly NamedAuthority[]
}

/** The server's answer to making a record. */
interface RecordPlace {
  readonly anchors: readonly AnchorPlace[]
}

class RecordView {
  readonly #mailroom: Mailroom
  readonly #row: ThreadRow
  readonly #reading: Reading
  #url: string | null = null

  constructor(mailroom: Mailroom, row: ThreadRow, reading: Reading) {
    this.#mailroom = mailroom
    this.#row = row
    this.#reading = reading
  }

  start(): void {
    const { subject } = summarise(this.#reading.applied, 0)
    slot(byId('record-subject'), 'subject').textContent = subject ?? text('no-subject')
    const wanted = Number(new URLSearchParams(location.search).get('message'))
    const message = messagesOf(this.#reading.applied).find(({ seq }) => seq === wanted)
    if (message && message.failed === null) this.#offer(message)
    const form = byId<HTMLFormElement>('record-form')
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      const isOpen = new FormData(form).get('reading') === 'open'
      void this.#make('record-make', 'record-problem', null, (exported) => this.#whole(exported, isOpen))
    })
    if (this.#reading.alarm) byId('record-progress').textContent = text('record-alarm')
    show(byId('loading'), false)
    show(byId('record'), true)
  }

  #offer(message: OpenedMessage): void {
    const { seq, name, office, receivedAt, body } = message
    const time = document.createElement('time')
    setTime(time, receivedAt)
    const lines = body?.type === 'note' ? paragraphs(body.text) : []
    byId('one-message').replaceChildren(...paragraphs(`${name} · ${office}`), time, ...lines)
    show(byId('record-one'), true)
    byId('one-make').addEventListener('click', () => {
      void this.#make('one-make', 'one-problem', seq, (exported) => this.#one(exported, message))
    })
  }

  /** One at a time; the server notes it first, and asks for a fresh proof. */
  async #make(
    button: string,
    problem: string,
    seq: number | null,
    work: (exported: Exported) => Promise<{ pieces: BlobPart[]; code: string | null }>,
  ): Promise<void> {
    const buttons = ['record-make', 'one-make'].map((id) => byId<HTMLButtonElement>(id))
    for (const each of buttons) each.disabled = true
    showProblem(byId(problem), null)
    show(byId('record-done'), false)
    this.#say(text('record-asking'))
    try {
      const place = `threads/${this.#row.thread}/record`
      const { anchors } = await this.#mailroom.session.rest.post<RecordPlace>(place, { seq })
      const { pieces, code } = await work(await this.#fetch(anchors))
      this.#hand(new Blob(pieces, { type: 'application/zip' }), seq, code)
    } catch (error) {
      this.#say('')
      showProblem(byId(problem), error)
    } finally {
      for (const each of buttons) each.disabled = false
      byId(button).focus({ preventScroll: true })
    }
    if (!byId('record-done').hidden) byId('record-done').focus()
  }

  #say(sentence: string): void {
    byId('record-progress').textContent = sentence
  }

  async #fetch(anchors: readonly AnchorPlace[]): Promise<Exported> {
    const { correspondence } = this.#mailroom
    const principals = new Set<Hex>(this.#row.members.map(({ principal }) => principal))
    for (const each of this.#reading.applied) {
      if (each.type === 'message') principals.add(each.message.principal)
      else principals.add(each.by)
    }
    const { epochs } = correspondence.mailbox.recordSource(this.#row.thread).state
    for (const { members } of epochs) for (const { principal } of members) principals.add(toHex(principal))
    const keyrings = []
    for (const principal of [...principals].sort()) {
      await correspondence.learnKeyring(principal)
      keyrings.push(await this.#keyring(principal))
    }
    const secretariat = await this.#secretariat(keyrings)
    const source = correspondence.mailbox.recordSource(this.#row.thread)
    const authorities = this.#authorities(keyrings)
    const log = { ...(await this.#log()), anchors }
    return { source, keyrings, secretariat, authorities, log }
  }

  /** The keyring by which confirms are verified, where there are some; verified here too. */
  async #secretariat(keyrings: readonly ConfirmedKeyring[]): Promise<KeyringJson | null> {
    const isNeeded = keyrings.some(({ confirms = [] }) => confirms.length > 0)
    if (!isNeeded) return null
    const { secretariat = null } = await this.#mailroom.session.rest.get<SessionInfo>('session')
    if (secretariat === null) return null
    await this.#mailroom.correspondence.learnKeyring(secretariat)
    return this.#keyring(secretariat)
  }

  /** The newest checkpoint of the log of keys, and all its leaves: they prove the entries of the keyrings. */
  async #log(): Promise<WholeLog> {
    const leaves: Base64[] = []
    for (;;) {
      const page = await this.#mailroom.session.rest.get<LogPage>(`log?from=${leaves.length}`)
      leaves.push(...page.leaves)
      if (page.leaves.length < LOG_PAGE) return { checkpoint: page.checkpoint, leaves }
    }
  }

  /** T8: what a stopped thread shows against the server. */
  async #contradiction() {
    const { alarm } = this.#reading
    if (alarm === null) return {}
    const versions = await versionsOf(this.#mailroom.correspondence, this.#row.thread, alarm)
    return versions.length > 0 ? { contradiction: { seq: alarm.seq, versions } } : {}
  }

  async #keyring(principal: Hex): Promise<KeyringJson> {
    const whole = await fetchKeyring(this.#mailroom.session.rest, principal)
    const { mailbox } = this.#mailroom.correspondence
    const known = mailbox.keyring(principal)?.n ?? 0
    return { ...whole, entries: whole.entries.filter(({ n }) => n <= known) }
  }

  #authorities(keyrings: readonly KeyringJson[]): NamedAuthority[] {
    return keyrings.map(({ principal, authority }) => {
      const member = this.#row.members.find((each) => each.principal === principal)?.authority
      const { id = '', name = '' } = member ?? authority ?? {}
      return { principal, id, name, state: member?.state_name ?? authority?.state ?? null }
    })
  }

  async #whole(exported: Exported, isOpen: boolean) {
    const { source, authorities, log, secretariat } = exported
    const keyrings = [...exported.keyrings, ...(secretariat ? [secretariat] : [])]

    const texts: DisclosedMessage[] = []
    for (const { seq, type } of isOpen ? source.items : []) {
      if (type !== 'message') continue
      const found = await disclose(source, seq)
      if (found) texts.push(found)
      this.#say(text('record-reading', { count: seq, total: source.items.length }))
    }
    const code = isOpen ? null : new OpeningCode(source.net)
    const readable = isOpen ? makePage(this.#reading.applied, authorities) : null
    const opened = this.#row.progress.flatMap((member) => member.opened ?? [])
    const input = { keyrings, authorities, texts, readable, code, log, opened, at: now() }
    const pieces = await makeThreadRecord(source, { ...input, ...(await this.#contradiction()) })
    return { pieces, code: code && (await code.print()) }
  }

  async #one({ source, keyrings, log, secretariat }: Exported, { seq, principal }: OpenedMessage) {
    const keyring = keyrings.find((each) => each.principal === principal) as KeyringJson
    return { pieces: await makeMessageRecord(source, seq, keyring, { log, secretariat }), code: null }
  }

  #hand(file: Blob, seq: number | null, code: string | null): void {
    show(byId('record-page'), seq === null && code === null)
    const day = new Date().toISOString().slice(0, 10)
    const place = seq === null ? '' : `-message-${seq}`
    const name = `record-${this.#row.thread.slice(0, 8)}${place}-${day}.zip`
    if (this.#url) URL.revokeObjectURL(this.#url)
    this.#url = URL.createObjectURL(file)
    const link = byId<HTMLAnchorElement>('record-save')
    link.href = this.#url
    link.download = name
    const done = byId('record-done')
    for (const element of done.querySelectorAll('[data-slot="name"]')) element.textContent = name
    slot(done, 'size').textContent = text('record-size', { size: Math.ceil(file.size / 1024) })
    show(byId('record-code'), code !== null)
    slot(byId('record-code'), 'code').textContent = code ?? ''
    const hasFiles = messagesOf(this.#reading.applied).some(
      ({ body }) => body?.type === 'note' && body.files.length > 0,
    )
    show(byId('record-files'), hasFiles)
    this.#say('')
    show(done, true)
    announce(text('record-made'))
  }
}
