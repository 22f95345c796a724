// English as the server writes it: day, month, year. In every language, as on the server, the Gregorian calendar and
// the digits 0 to 9: what a deadline or a reference says must read alike on both sides.
export const language = (): string =>
  `${document.documentElement.lang.replace(/^(en)?$/, 'en-GB')}-u-ca-gregory-nu-latn`

// Others say when something was: whatever they say, the page opens.
const UNKNOWN = '—'
const isTime = (seconds: number): boolean => !Number.isNaN(new Date(seconds * 1000).getTime())
const DAY = 86_400

const forms = new Map<string, Intl.DateTimeFormat>()

/** A form of the page's own; `name` stands for its options. Takes unix seconds. */
export function write(seconds: number, name: string, options: Intl.DateTimeFormatOptions): string {
  if (!isTime(seconds)) return UNKNOWN
  let form = forms.get(name)
  if (form === undefined) {
    form = new Intl.DateTimeFormat(language(), options)
    forms.set(name, form)
  }
  return zoneLast(form.formatToParts(seconds * 1000))
}

/** The zone stands after the clock in every language, as on the server. */
export function zoneLast(parts: Intl.DateTimeFormatPart[]): string {
  const zone = parts.find(({ type }) => type === 'timeZoneName')
  const words = parts.map((part) => (part === zone ? '' : part.value)).join('')
  return zone ? `${words.replace(/ {2,}/, ' ').trim()} ${zone.value}` : words
}

// 24 hours everywhere: a deadline must not hang on two letters.
export const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
export const DATE = { year: 'numeric', month: 'short', day: 'numeric' } as const

/** Date and time in the reader's language and zone, the zone named. Takes unix seconds. */
export function dateTime(seconds: number): string {
  return write(seconds, 'long', { ...DATE, ...CLOCK, timeZoneName: 'short' })
}

/** The time alone, with its zone, under a line that names the day. */
export function clock(seconds: number): string {
  return write(seconds, 'clock', { ...CLOCK, timeZoneName: 'short' })
}

export function day(seconds: number): string {
  return write(seconds, 'day', { dateStyle: 'full' })
}

/** The time of today, or the date of another day: for a narrow column. */
export function shortTime(seconds: number): string {
  const isToday = dayNumber(seconds) === dayNumber(Date.now() / 1000)
  return isToday ? write(seconds, 'time', CLOCK) : write(seconds, 'date', DATE)
}

/** Which day of the reader's calendar it is, as a number that grows by one a day. */
export function dayNumber(seconds: number): number {
  const local = new Date(seconds * 1000)
  return Date.UTC(local.getFullYear(), local.getMonth(), local.getDate()) / (DAY * 1000)
}

/** A date wanted is a day of the calendar, the same for every reader: that of its moment in UTC. */
export function dueDate(due: number): string {
  return write(due, 'due', { ...DATE, timeZone: 'UTC' })
}

/** Days from today to a date wanted; negative when it has passed. */
export function daysLeft(due: number, now: number = Date.now() / 1000): number {
  return Math.floor(due / DAY) - dayNumber(now)
}

/** "in 3 days", "tomorrow", "2 days ago", in the reader's language. */
export function inDays(days: number): string {
  return new Intl.RelativeTimeFormat(language(), { numeric: 'auto' }).format(days, 'day')
}

/** "17 minutes ago", after two hours "3 hours ago", in the reader's language. Takes unix seconds. */
export function ago(at: number, now: number = Date.now() / 1000): string {
  const minutes = Math.max(0, Math.floor((now - at) / 60))
  const form = new Intl.RelativeTimeFormat(language(), { numeric: 'auto' })
  return minutes < 120 ? form.format(-minutes, 'minute') : form.format(-Math.floor(minutes / 60), 'hour')
}

/** Date and time in another zone, that zone named; empty where this browser does not know the zone. */
export function dateTimeIn(zone: string, seconds: number): string {
  try {
    return write(seconds, `in ${zone}`, { ...DATE, ...CLOCK, timeZone: zone, timeZoneName: 'short' })
  } catch {
    return ''
  }
}

/** The last moment of the day that a date field says (`2026-11-24`), in UTC; null when it says none. */
export function dueOf(field: string): number | null {
  const at = Date.parse(`${field}T23:59:59Z`)
  return Number.isNaN(at) || at <= 0 ? null : Math.floor(at / 1000)
}

/** What a date field shows for a date wanted. */
export function fieldOf(due: number): string {
  return isTime(due) ? new Date(due * 1000).toISOString().slice(0, 10) : ''
}

export function setTime(element: HTMLElement, at: number, words: (at: number) => string = dateTime): void {
  if (element instanceof HTMLTimeElement && isTime(at)) element.dateTime = new Date(at * 1000).toISOString()
  element.textContent = words(at)
  if (words !== dateTime) element.title = dateTime(at)
}

export function number(value: number): string {
  return new Intl.NumberFormat(language()).format(value)
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** The size of a file in words: "2.4 MB". */
export function fileSize(bytes: number): string {
  const power = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1000)), UNITS.length - 1)
  const options = {
    style: 'unit',
    unit: UNITS[power] as string,
    maximumFractionDigits: power > 1 ? 1 : 0,
  } as const
  return new Intl.NumberFormat(language(), options).format(bytes / 1000 ** power)
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

/** An identifier as addresses write it. */
export function dashed(id: string): string {
  return id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
