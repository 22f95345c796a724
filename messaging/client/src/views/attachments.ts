import { FILES_LIMIT } from '../sealed/attachment.ts'
import type { FileJson } from '../sealed/client.ts'
import { Refused } from '../sealed/errors.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { Upload } from '../store/uploads.ts'
import type { Hex } from '../transport/wire.ts'
import { fileSize, number } from './format.ts'
import { announce, byId, clone, fill, show, slot, text } from './page.ts'
import { showProblem } from './problem.ts'

/** The files added to the message being written: each is sealed and sent at once, while the person writes. */
export class AddedFiles {
  readonly #within: Correspondence
  readonly #thread: Hex
  readonly #keep: (files: readonly FileJson[]) => void
  readonly #rows = new Map<Upload, HTMLElement>()
  readonly #running = new Map<Upload, Promise<void>>()

  /** `keep` is told what a draft should know of the files. */
  constructor(within: Correspondence, thread: Hex, keep: (files: readonly FileJson[]) => void) {
    this.#within = within
    this.#thread = thread
    this.#keep = keep
    addEventListener('beforeunload', (event) => {
      if (this.#uploads.some(({ isUnderway }) => isUnderway)) event.preventDefault()
    })
  }

  get #uploads(): Upload[] {
    return [...this.#rows.keys()]
  }

  add(chosen: readonly File[]): void {
    const room = FILES_LIMIT - this.#rows.size
    const isTooMany = chosen.length > room
    const tooMany = isTooMany ? new Refused('M3', 'too-many-files', 'ten files at most') : null
    showProblem(byId('files-problem'), tooMany)
    for (const source of chosen.slice(0, room)) {
      this.#show(
        new Upload(this.#within, this.#thread, { source, earlier: () => this.#takeInterrupted(source.name) }),
      )
    }
  }

  /** What a draft or a message that was taken back had; what was not sent whole asks to be chosen again. */
  restore(files: readonly FileJson[]): void {
    const here = new Set(this.#uploads.map(({ file }) => file.id))
    for (const file of files) {
      if (!here.has(file.id)) this.#show(new Upload(this.#within, this.#thread, { source: null, file }))
    }
  }

  /** The files of the message, once all are stored. Rejects with what is wrong with one of them. */
  async ready(): Promise<readonly FileJson[]> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
    const bad = this.#uploads.find(({ state }) => state !== 'stored')
    if (bad) throw new Refused('M3', 'file-not-stored', 'a file is not stored')
    return this.#uploads.map(({ file }) => file)
  }

  /** The message has taken them; nothing is left for a draft to know. */
  clear(): void {
    for (const row of this.#rows.values()) row.remove()
    this.#rows.clear()
  }

  /** Files that an earlier visit left unfinished; the one of this name makes place for what is chosen again. */
  #takeInterrupted(name: string): FileJson[] {
    const found = this.#uploads.filter(({ state }) => state === 'interrupted')
    for (const upload of found) if (upload.file.name === name) this.#drop(upload)
    return found.map(({ file }) => ({ ...file, root: '' }))
  }

  #show(upload: Upload): void {
    const row = clone('added-file')
    fill(row, { name: upload.file.name, size: fileSize(upload.file.size) })
    slot(row, 'remove').addEventListener('click', () => this.#remove(upload))
    slot(row, 'again').addEventListener('click', () => this.#run(upload))
    this.#rows.set(upload, row)
    byId('added-files').append(row)
    upload.onChange = () => this.#describe(upload, row)
    this.#describe(upload, row)
    this.#run(upload)
  }

  #run(upload: Upload): void {
    const running = upload.run().finally(() => {
      this.#running.delete(upload)
      this.#keepAll()
    })
    this.#running.set(upload, running)
    this.#keepAll()
  }

  #remove(upload: Upload): void {
    const next = this.#rows.get(upload)?.nextElementSibling?.querySelector<HTMLElement>('button')
    void upload.remove()
    this.#drop(upload)
    const focus = next ?? byId('files-choose')
    focus.focus()
  }

  #drop(upload: Upload): void {
    this.#rows.get(upload)?.remove()
    this.#rows.delete(upload)
    this.#keepAll()
  }

  /** Without a digest nothing was sealed yet, so there is nothing to go on with. */
  #keepAll(): void {
    this.#keep(this.#uploads.map(({ file }) => file).filter(({ digest }) => digest !== ''))
  }

  #describe(upload: Upload, row: HTMLElement): void {
    const { state, progress, problem } = upload
    const bar = slot<HTMLProgressElement>(row, 'progress')
    bar.value = Math.round(progress * 100)
    show(bar, upload.isUnderway)
    fill(row, { state: stateText(upload) })
    const said = row.dataset.state
    row.dataset.state = state
    if (said !== state && state === 'stored') announce(text('file-stored'))
    if (said !== state) this.#keepAll()
    showProblem(slot(row, 'problem'), state === 'failed' ? problem : null)
    show(slot(row, 'again'), state === 'failed')
  }
}

function stateText({ state, progress }: Upload): string {
  const percent = number(Math.round(progress * 100))
  if (state === 'reading') return text('file-reading', { percent })
  if (state === 'sending') return text('file-sending', { percent })
  if (state === 'stored') return text('file-stored')
  return state === 'interrupted' ? text('file-interrupted') : ''
}
