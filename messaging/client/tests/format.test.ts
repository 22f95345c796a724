import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dateTime, day, number, zoneLast } from '../src/views/format.ts'

// A process has one page: its language is that of the first call.
const AT = Date.UTC(2026, 2, 9, 21, 5) / 1000

test('a time in Arabic has the Gregorian calendar, the digits 0 to 9, 24 hours and its zone, as on the server', () => {
  const before = globalThis.document
  const page = { documentElement: { lang: 'ar' } } as Document
  Object.defineProperty(globalThis, 'document', { value: page, configurable: true })
  try {
    for (const words of [dateTime(AT), day(AT)]) {
      assert.match(words, /مارس/)
      assert.match(words, /2026/)
      assert.doesNotMatch(words, /[٠-٩۰-۹]/)
    }
    assert.match(dateTime(AT), /\d\d:05/)
    assert.match(dateTime(AT), /UTC|GMT|غرينتش/)
    assert.equal(number(1234.5), '1,234.5')
  } finally {
    Object.defineProperty(globalThis, 'document', { value: before, configurable: true })
  }
})

test('the zone stands after the clock in Chinese too', () => {
  const options = {
    year: 'numeric',
    month: 'long',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
  } as const
  const form = new Intl.DateTimeFormat('zh-Hans', { ...options, hourCycle: 'h23', timeZoneName: 'short' })
  assert.equal(zoneLast(form.formatToParts(AT * 1000)), '2026年3月 21:05 UTC')
})
