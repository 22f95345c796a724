import type { FileJson, OpenedMessage } from '../sealed/client.ts'
import type { Correspondence } from '../store/correspondence.ts'
import type { Hex } from '../transport/wire.ts'
import type { AddedFiles } from './attachments.ts'
import type { NoteFiles } from './composer.ts'
import { byId, show, slot } from './page.ts'

/** Files of a thread page. What they need is loaded with the first of them. */
export class ThreadFiles implements NoteFiles {
  readonly #within: Correspondence
  readonly #thread: Hex
  readonly #changed: () => void
  #added: Promise<AddedFiles> | null = null
  #kept: readonly FileJson[] = []

  /** `changed` is called when there is something new to keep in the draft. */
  constructor(within: Correspondence, thread: Hex, changed: () => void) {
    this.#within = within
    this.#thread = thread
    this.#changed = changed
    const field = byId<HTMLInputElement>('files-field')
    byId('files-choose').addEventListener('click', () => field.click())
    field.addEventListener('change', () => {
      const chosen = [...(field.files ?? [])]
      field.value = '' // the same file may be chosen again
      if (chosen.length > 0) void this.#load().then((added) => added.add(chosen))
    })
  }

  /** Lists the files of a message under its text. */
  show(element: HTMLElement, { body }: OpenedMessage): void {
    const files = body?.type === 'note' ? body.files : []
    if (files.length === 0) return
    const place = slot(element, 'files')
    show(place, true)
    void import('./file_rows.ts').then(({ fileRow }) =>
      place.append(...files.map((file) => fileRow(this.#within, this.#thread, file))),
    )
  }

  async ready(): Promise<readonly FileJson[]> {
    return this.#added === null ? [] : (await this.#added).ready()
  }

  kept(): string {
    return JSON.stringify(this.#kept)
  }

  restore(files: readonly FileJson[]): void {
    if (files.length > 0) void this.#load().then((added) => added.restore(files))
  }

  clear(): void {
    this.#kept = []
    void this.#added?.then((added) => added.clear())
  }

  #load(): Promise<AddedFiles> {
    this.#added ??= import('./attachments.ts').then(
      ({ AddedFiles }) =>
        new AddedFiles(this.#within, this.#thread, (files) => {
          this.#kept = files
          this.#changed()
        }),
    )
    return this.#added
  }
}
