import type { FileJson } from '../sealed/client.ts'
import type { Bytes } from '../sealed/encoding.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { download, type Sink } from '../store/downloads.ts'
import type { Hex } from '../transport/wire.ts'
import { fileSize, number } from './format.ts'
import { announce, clone, fill, show, slot, text } from './page.ts'
import { showProblem } from './problem.ts'

// What starts by itself, or carries what does, on one system or another.
const CAN_RUN =
  /\.(apk|app|bat|chm|cmd|com|cpl|deb|dll|dmg|docm|dotm|exe|hta|html?|img|iso|jar|jse?|lnk|mht|msi|msp|pif|potm|ppam|ppsm|pptm|ps1|py|reg|rpm|scf|scr|sh|svg|url|vb[es]?|vhdx?|ws[fh]?|xlam|xll|xlsb|xlsm|xltm|xml|xsl)$/i

/** A file of a message, with what saves it on this device. */
export function fileRow(within: Correspondence, thread: Hex, file: FileJson): HTMLElement {
  const row = clone('file-row')
  fill(row, { name: file.name, size: fileSize(file.size) })
  const saving = new Saving(within, thread, file, row)
  slot(row, 'save').addEventListener('click', () => {
    if (CAN_RUN.test(file.name)) return saving.warn()
    void saving.save()
  })
  slot(row, 'save-all-the-same').addEventListener('click', () => void saving.save())
  slot(row, 'stop').addEventListener('click', () => saving.stop())
  return row
}

class Saving {
  readonly #within: Correspondence
  readonly #thread: Hex
  readonly #file: FileJson
  readonly #row: HTMLElement
  #stop = new AbortController()

  constructor(within: Correspondence, thread: Hex, file: FileJson, row: HTMLElement) {
    this.#within = within
    this.#thread = thread
    this.#file = file
    this.#row = row
  }

  warn(): void {
    show(slot(this.#row, 'warning'), true)
    slot(this.#row, 'save-all-the-same').focus()
  }

  stop(): void {
    this.#stop.abort()
  }

  async save(): Promise<void> {
    show(slot(this.#row, 'warning'), false)
    showProblem(slot(this.#row, 'problem'), null)
    const sink = await chooseSink(this.#file)
    if (sink === null) return
    this.#stop = new AbortController()
    const { signal } = this.#stop
    this.#be(true, 0)
    try {
      const onProgress = (share: number) => this.#be(true, share)
      await download(this.#within, this.#thread, this.#file, { sink, signal, onProgress })
      this.#be(false, 1)
      fill(this.#row, { state: text('file-saved') })
      announce(text('file-saved'))
    } catch (error) {
      this.#be(false, 0)
      if (!signal.aborted) showProblem(slot(this.#row, 'problem'), error)
    }
  }

  #be(isUnderway: boolean, share: number): void {
    const percent = Math.round(share * 100)
    const bar = slot<HTMLProgressElement>(this.#row, 'progress')
    bar.value = percent
    show(bar, isUnderway)
    show(slot(this.#row, 'stop'), isUnderway)
    show(slot(this.#row, 'save'), !isUnderway)
    fill(this.#row, { state: isUnderway ? text('file-fetching', { percent: number(percent) }) : '' })
  }
}

interface PickingWindow {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<{
    createWritable(): Promise<{
      write(part: Bytes): Promise<void>
      close(): Promise<void>
      abort(): Promise<void>
    }>
  }>
}

/** A place chosen by the person, written as it comes; else the browser's folder of downloads. Null: not wanted. */
async function chooseSink(file: FileJson): Promise<Sink | null> {
  const pick = (globalThis as unknown as PickingWindow).showSaveFilePicker
  if (pick === undefined) return new DownloadsSink(file)
  try {
    return await (await pick.call(globalThis, { suggestedName: file.name })).createWritable()
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null
    return new DownloadsSink(file) // the browser knows it and does not allow it here
  }
}

/** Collects the parts where the browser keeps large things, not in this page's memory. */
class DownloadsSink implements Sink {
  readonly #name: string
  #parts: Blob[] = []

  constructor(file: FileJson) {
    this.#name = file.name
  }

  async write(part: Bytes): Promise<void> {
    this.#parts.push(new Blob([part]))
  }

  async close(): Promise<void> {
    // Never the sender's type: nothing of a file is shown or run by this site.
    const address = URL.createObjectURL(new Blob(this.#parts, { type: 'application/octet-stream' }))
    this.#parts = []
    const link = document.createElement('a')
    link.href = address
    link.download = this.#name
    link.click()
    setTimeout(() => URL.revokeObjectURL(address), 60_000)
  }

  async abort(): Promise<void> {
    this.#parts = []
  }
}
