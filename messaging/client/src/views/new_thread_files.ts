import type { FileJson } from '../sealed/client.ts'
import type { Correspondence } from '../store/correspondence.ts'
import type { Hex } from '../transport/wire.ts'
import type { AddedFiles } from './attachments.ts'
import type { NoteFiles } from './composer.ts'
import { fileSize } from './format.ts'
import { byId, clone, fill, show, slot } from './page.ts'

/** Files that go with the first message of a thread. A file belongs to a thread: so it is opened when the message is
 *  sent, then the files are sealed and sent, then the message. */
export class NewThreadFiles implements NoteFiles {
  /** The thread that was opened for them. */
  thread: Hex | null = null
  readonly #within: Correspondence
  readonly #open: () => Promise<Hex>
  #chosen: File[] = []
  #added: AddedFiles | null = null

  /** `open` opens the thread with nobody's word in it, and keeps what is written as its draft. */
  constructor(within: Correspondence, open: () => Promise<Hex>) {
    this.#within = within
    this.#open = open
    const field = byId<HTMLInputElement>('files-field')
    byId('files-choose').addEventListener('click', () => field.click())
    field.addEventListener('change', () => {
      const files = [...(field.files ?? [])]
      field.value = '' // the same file may be chosen again
      if (this.#added) this.#added.add(files)
      else for (const file of files) this.#choose(file)
    })
  }

  async ready(): Promise<readonly FileJson[]> {
    if (this.#added === null && this.#chosen.length > 0) await this.#begin()
    return this.#added ? this.#added.ready() : []
  }

  async #begin(): Promise<void> {
    const { AddedFiles } = await import('./attachments.ts')
    this.thread ??= await this.#open()
    byId('added-files').replaceChildren()
    this.#added = new AddedFiles(this.#within, this.thread, () => undefined)
    this.#added.add(this.#chosen)
    this.#chosen = []
  }

  #choose(file: File): void {
    const row = clone('added-file')
    fill(row, { name: file.name, size: fileSize(file.size), state: '' })
    show(slot(row, 'progress'), false)
    slot(row, 'remove').addEventListener('click', () => {
      this.#chosen = this.#chosen.filter((each) => each !== file)
      row.remove()
      byId('files-choose').focus()
    })
    this.#chosen.push(file)
    byId('added-files').append(row)
  }

  // Files of this page are chosen anew after a reload; those of the opened thread are kept with its draft.
  kept(): string {
    return '[]'
  }

  restore(): void {
    // Nothing of them was sent.
  }

  clear(): void {
    this.#chosen = []
    this.#added?.clear()
  }
}
