import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryDelay } from '../src/transport/backoff.ts'

test('the first try comes within half a second, none later than a minute', () => {
  assert.equal(
    retryDelay(0, () => 1),
    500,
  )
  assert.equal(
    retryDelay(3, () => 1),
    4_000,
  )
  assert.equal(
    retryDelay(500, () => 1),
    60_000,
  )
})

test('waits are spread over the whole time, so that browsers do not return together', () => {
  assert.equal(
    retryDelay(7, () => 0),
    0,
  )
  assert.equal(
    retryDelay(7, () => 0.5),
    30_000,
  )
})
