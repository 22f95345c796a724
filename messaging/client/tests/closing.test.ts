import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QUESTIONS } from '../src/generated/stages.ts'
import { CLOSING_FIELDS, closingDraft, closingFacts } from '../src/views/closing.ts'

const written = new Map([
  ['closed-as', 'executed-in-part'],
  ['time', 'late'],
  ['use', ''],
  ['ease', '  A scan of the order,\r\n\r\nترجمة: معتمدة  '],
])
const said = (field: string): string => written.get(field) ?? ''

test('an evaluation is said by codes, line for line, and what was left empty is not said', () => {
  assert.deepEqual(CLOSING_FIELDS, ['closed-as', ...Object.keys(QUESTIONS)])
  assert.deepEqual(closingFacts(said), {
    outcome: 'executed-in-part',
    evaluation: ['time: late', 'ease: A scan of the order,', 'ease: ترجمة: معتمدة'],
  })
  assert.deepEqual(closingFacts((field) => (field === 'closed-as' ? 'refused' : ' ')).evaluation, [])
})

test('what was taken back before it was sent stands in its fields again', () => {
  assert.deepEqual(closingDraft(closingFacts(said)), [
    ['closed-as', 'executed-in-part'],
    ['time', 'late'],
    ['use', ''],
    ['ease', 'A scan of the order,\nترجمة: معتمدة'],
  ])
  assert.deepEqual(closingDraft({}), [
    ['closed-as', ''],
    ['time', ''],
    ['use', ''],
    ['ease', ''],
  ])
})
