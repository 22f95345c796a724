const language = (): string => document.documentElement.lang || 'en'

// Others say when something was: whatever they say, the page opens.
const UNKNOWN = '—'
const isTime = (seconds: number): boolean => !Number.isNaN(new Date(seconds * 1000).getTime())

let longForm: Intl.DateTimeFormat | undefined
let dayForm: Intl.DateTimeFormat | undefined

/** Date and time in the reader's language and zone, the zone named. Takes unix seconds. */
export function dateTime(seconds: number): string {
  if (!isTime(seconds)) return UNKNOWN
  longForm ??= new Intl.DateTimeFormat(language(), {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    // 24 hours everywhere: a deadline must not hang on two letters.
    hourCycle: 'h23',
    timeZoneName: 'short',
  })
  return longForm.format(seconds * 1000)
}

export function day(seconds: number): string {
  if (!isTime(seconds)) return UNKNOWN
  dayForm ??= new Intl.DateTimeFormat(language(), { dateStyle: 'full' })
  return dayForm.format(seconds * 1000)
}

export function setTime(element: HTMLElement, at: number): void {
  if (element instanceof HTMLTimeElement && isTime(at)) element.dateTime = new Date(at * 1000).toISOString()
  element.textContent = dateTime(at)
}

export function number(value: number): string {
  return new Intl.NumberFormat(language()).format(value)
}

/** The name of a language in the reader's language, e.g. for `fr`. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames(language(), { type: 'language' }).of(code) ?? code
  } catch {
    return code
  }
}

/** Lower case without accents, for searching what this device has opened. */
export function folded(value: string): string {
  return value.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase()
}
