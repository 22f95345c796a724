import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONFIRMING, FACTS, NEXT, OVERRIDES, STAGES } from '../../src/generated/stages.ts'
import { DRAFT_FACTS } from '../../src/generated/turns.ts'
import { decode, encode } from '../../src/sealed/encoding.ts'
import { Refused } from '../../src/sealed/errors.ts'
import { checkFacts, checkFollowing, checkStep, NO_STEPS, sideOf, stepsFor } from '../../src/sealed/stages.ts'
import { type Case, factValues, readFacts, type Side, type Step } from '../../src/sealed/steps.ts'
import { factsFor } from '../step_story.ts'

const [NOW, DUE, CONSULTATION] = [1_000, 2_000, 7]
const bytes = (of: number) => new Uint8Array(32).fill(of)
const [A, B, C] = [bytes(1), bytes(2), bytes(3)]
const SIDES: Side[] = ['requesting', 'requested']

/** A case that stands there, with a consultation that was answered. */
const standing = (variant: string, stage: string, changes: Partial<Case> = {}): Case => ({
  ...NO_STEPS,
  ...(stage === ''
    ? {}
    : { variant, requesting: A, requested: B, consultations: new Map([[CONSULTATION, null]]) }),
  stage,
  on: 9,
  ...changes,
})

const stepTo = (variant: string, code: string, changes: Partial<Step> = {}): Step => ({
  variant,
  code,
  on: 9,
  consultation: STAGES[code]?.consults || code === 'consulted' ? CONSULTATION : null,
  override: null,
  ...changes,
})

function refusedBy(found: Case, step: Step, side: Side | null, now = NOW): string | null {
  try {
    checkFollowing(found, step, side, now)
    return null
  } catch (error) {
    assert.ok(error instanceof Refused)
    return error.code
  }
}

const codesOf = (variant: string): string[] => [...new Set(Object.values(NEXT[variant] ?? {}).flat())]
const WAITING = { consultations: new Map([[CONSULTATION, DUE]]) }

test('M11 every step is allowed or refused as the table says', () => {
  let [tried, allowed] = [0, 0]
  for (const [variant, table] of Object.entries(NEXT))
    for (const [stage, codes] of Object.entries(table))
      for (const code of codesOf(variant))
        for (const side of SIDES) {
          const asked = code === 'consulted' ? WAITING : {}
          const found = standing(variant, stage, { ...asked, isUnconfirmed: CONFIRMING.includes(code) })
          const isTheirs = STAGES[code]?.side === 'either' || STAGES[code]?.side === side
          const expected = !codes.includes(code) ? 'forbidden-stage' : isTheirs ? null : 'wrong-side'
          const refused = refusedBy(found, stepTo(variant, code), side)
          assert.equal(refused, expected, `${variant} ${stage} ${code} ${side}`)
          tried++
          if (refused === null) allowed++
        }
  assert.ok(tried > 8_000 && allowed > 1_000 && allowed < tried / 4)
})

test('M11 nothing is refused or postponed without a consultation, or before its time is over', () => {
  let tried = 0
  for (const [variant, table] of Object.entries(NEXT))
    for (const [stage, codes] of Object.entries(table))
      for (const code of codes.filter((each) => STAGES[each]?.consults)) {
        const found = standing(variant, stage, WAITING)
        const step = stepTo(variant, code)
        assert.equal(refusedBy(found, step, 'requested', DUE), 'consultation-needed')
        assert.equal(refusedBy(found, step, 'requested', DUE + 1), null)
        const without = { ...step, consultation: null }
        assert.equal(refusedBy(found, without, 'requested'), 'consultation-needed')
        assert.equal(refusedBy(found, { ...without, override: 'other-treaty' }, 'requested'), null)
        tried++
      }
  assert.ok(tried > 200)
})

test('M11 what was sent urgently is confirmed, or that is waived, before the end', () => {
  const found = standing('assistance', 'executed', { isUnconfirmed: true })
  assert.equal(refusedBy(found, stepTo('assistance', 'closed'), 'requested'), 'confirmation-needed')
  assert.equal(
    refusedBy({ ...found, isUnconfirmed: false }, stepTo('assistance', 'closed'), 'requested'),
    null,
  )
})

test('M11 a step of who has not seen the one before is stale', () => {
  const found = standing('assistance', 'sent')
  assert.equal(refusedBy(found, stepTo('assistance', 'acknowledged', { on: 8 }), 'requested'), 'stale-stage')
})

test('M11 a third party takes no step, and who succeeds a side takes its steps', () => {
  const found = standing('assistance', 'sent')
  const nobody = () => null
  assert.equal(sideOf(found, A, nobody), 'requesting')
  assert.equal(sideOf(found, B, nobody), 'requested')
  assert.equal(sideOf(found, C, nobody), null)
  assert.equal(refusedBy(found, stepTo('assistance', 'accepted'), null), 'wrong-side')
  const heir = (principal: Uint8Array) => (principal === C ? { succeeds: B } : null)
  assert.equal(sideOf(found, C, heir as unknown as Parameters<typeof sideOf>[2]), 'requested')
})

test('M10 an override is of its variants', () => {
  for (const [override, variants] of Object.entries(OVERRIDES))
    for (const variant of Object.keys(NEXT).filter((each) => each !== 'information')) {
      const step = stepTo(variant, 'refused', { consultation: null, override })
      if (variants.includes(variant)) checkStep(step)
      else assert.throws(() => checkStep(step), { rule: 'M10', code: 'unknown-stage' })
    }
})

test('M12 a step says what its stage demands', () => {
  for (const code of Object.keys(STAGES)) {
    const variant = Object.keys(NEXT).find((each) => codesOf(each).includes(code)) ?? ''
    const step = stepTo(variant, code)
    const facts = factsFor(step)
    checkFacts(step, facts)
    for (const name of Object.keys(facts)) {
      const { [name]: _, ...lacking } = facts
      assert.throws(() => checkFacts(step, lacking), { rule: 'M12' })
      const empty = FACTS[name]?.kind === 'list' ? [] : ' '
      if ((FACTS[name]?.least ?? 0) > 0)
        assert.throws(() => checkFacts(step, { ...facts, [name]: empty }), { rule: 'M12' })
    }
    assert.throws(() => checkFacts(step, { ...facts, topics: 'x' }), { code: 'wrong-facts' })
  }
  const refused = stepTo('assistance', 'refused')
  const bank = { ...factsFor(refused), ground: 'R-BANK' }
  assert.throws(() => checkFacts(refused, bank), { code: 'wrong-ground' })
})

test('M11 what a side may do next is what the table has for it', () => {
  const begun = stepsFor({ ...NO_STEPS, on: 0 }, 'either', NOW).map(
    ({ variant, code }) => `${variant} ${code}`,
  )
  assert.ok(begun.includes('extradition sent') && !begun.includes('extradition executed'))
  const found = standing('assistance', 'acknowledged', WAITING)
  const codes = (side: Side) => stepsFor(found, side, NOW).map(({ code, override }) => override ?? code)
  assert.deepEqual(codes('requesting'), ['withdrawn', 'consulted'])
  assert.ok(codes('requested').includes('other-treaty') && !codes('requested').includes('refused'))
})

test('M12 a draft may leave open what a request contains, and is read as the article has it', () => {
  const draft = stepTo('assistance', 'draft-shared')
  const empty = Object.fromEntries(DRAFT_FACTS.map((name) => [name, name === 'version' ? '1' : '']))
  checkFacts(draft, empty)
  assert.throws(() => checkFacts(draft, { ...empty, version: ' ' }), { code: 'wrong-facts' })
  assert.throws(() => checkFacts(draft, { ...empty, summary: 'x'.repeat(8001) }), { code: 'wrong-facts' })
  const body = decode(encode({ type: 'stage', facts: factValues(empty) }))
  assert.deepEqual(Object.keys(readFacts(body)), [...DRAFT_FACTS])
})
