// Moments in the time zones of offices. Zones are named as the IANA database names them.
export const UTC = 'UTC'

/** The zone as this browser knows it; UTC where it is not given or not known. */
export function knownZone(zone: string | null | undefined): string {
  if (!zone) return UTC
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return zone
  } catch {
    return UTC
  }
}

/** What the clock of a zone shows at a moment, as a field of date and time has it (`2026-11-24T06:00`). */
export function clockOf(at: number, zone: string): string {
  const options = {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  } as const
  const form = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    ...options,
    hourCycle: 'h23',
    timeZone: zone,
  })
  const parts = new Map(form.formatToParts(at * 1000).map(({ type, value }) => [type, value]))
  const [year = '', month, day] = [parts.get('year'), parts.get('month'), parts.get('day')]
  return `${year.padStart(4, '0')}-${month}-${day}T${parts.get('hour')}:${parts.get('minute')}`
}

/** The moment at which the clock of a zone shows this, unix seconds; null where it shows it never: when clocks are put
 *  forward, or where the field says no time. Of two, when they are put back, the first. */
export function momentOf(field: string, zone: string): number | null {
  const wanted = Date.parse(`${field}Z`) / 1000
  if (Number.isNaN(wanted)) return null
  const offset = (at: number): number => Date.parse(`${clockOf(at, zone)}Z`) / 1000 - at
  const tried = [wanted - 86_400, wanted + 86_400].map((near) => wanted - offset(near))
  return (
    tried.sort((one, other) => one - other).find((at) => clockOf(at, zone) === field.slice(0, 16)) ?? null
  )
}
