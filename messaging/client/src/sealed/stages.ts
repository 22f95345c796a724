// Steps in a case: what may follow what, and what a step has to say (rules M10 to M12). Fetched only where a step is
// at hand; the table is generated from the server's.
import {
  ANSWER_SECONDS,
  CONFIRMING,
  FACTS,
  type FactRule,
  GROUNDS_FOR,
  LINE_LIMIT,
  NEXT,
  OTHER_TREATY,
  OVERRIDES,
  STAGES,
  TREATY_GROUND,
} from '../generated/stages.ts'
import { type Bytes, equal } from './encoding.ts'
import { insist, Refused } from './errors.ts'
import type { Case, Facts, Side, Step } from './steps.ts'
import { type Keyrings, partiesOf, type ThreadState } from './thread_entry.ts'

const PARTIES = 2
/** A case in which no step was taken yet. */
export const NO_STEPS: Case = {
  variant: null,
  stage: '',
  on: 0,
  requesting: null,
  requested: null,
  consultations: new Map(),
  isUnconfirmed: false,
  steps: [],
}
/** The end of the year 9999, as of dates wanted. */
const LAST_DATE = 253_402_300_799

const following = (variant: string, stage: string): readonly string[] => NEXT[variant]?.[stage] ?? []

/** M10: a stage, variant and override of the table; a consultation or an override where the stage rests on one, and
 *  nowhere else. @throws Refused unknown-stage */
export function checkStep(step: Step): void {
  const { code, variant, consultation, override } = step
  const isKnown = Object.values(NEXT[variant] ?? {}).some((codes) => codes.includes(code))
  insist(isKnown, 'M10', 'unknown-stage', 'the variant has no such stage') // M10
  const isOverride = override === null || OVERRIDES[override]?.includes(variant) === true
  insist(isOverride, 'M10', 'unknown-stage', 'no override of this variant') // M10
  const names = Number(consultation !== null) + Number(override !== null)
  const isAnswer = code === 'consulted'
  const isNamed = isAnswer ? consultation !== null && names === 1 : names <= Number(STAGES[code]?.consults)
  insist(isNamed, 'M10', 'unknown-stage', 'a consultation or an override where the stage rests on one') // M10
}

/** M10: the urgency and date that the stage has, and no other. @throws Refused unknown-stage */
export function checkStepHandling(
  step: Step,
  { urgency, due }: { urgency: number; due: number | null },
): void {
  const stage = STAGES[step.code]
  const isFitting = stage?.due === (due !== null) && stage.urgent === urgency > 0
  insist(isFitting, 'M10', 'unknown-stage', 'an urgency or date that this stage does not have, or lacks') // M10
}

/** A principal and those it succeeds, as far as they are known (K12). */
function lineOf(principal: Bytes, keyrings: Keyrings): Bytes[] {
  const line: Bytes[] = []
  let next: Bytes | null = principal
  while (next !== null && !line.some((known) => equal(known, next as Bytes))) {
    line.push(next)
    next = keyrings(next)?.succeeds ?? null
  }
  return line
}

/** Which side a principal is, or succeeds; `either` while nobody has asked for anything. */
export function sideOf(found: Case, principal: Bytes, keyrings: Keyrings): Side | null {
  const { requesting, requested } = found
  if (requesting === null) return 'either'
  for (const one of lineOf(principal, keyrings)) {
    if (equal(one, requesting)) return 'requesting'
    if (requested !== null && equal(one, requested)) return 'requested'
  }
  return null
}

/** 18(26): this consultation was answered, or its time is over by `now`. */
function isSettled({ consultations }: Case, seq: number | null, now: number): boolean {
  const until = seq === null ? undefined : consultations.get(seq)
  return until !== undefined && (until === null || now > until)
}

/** M11: one step after the other, each by the side whose step it is. `now`: when the server received it.
 *  @throws Refused forbidden-stage, stale-stage, wrong-side, confirmation-needed, consultation-needed */
export function checkFollowing(found: Case, step: Step, side: Side | null, now: number): void {
  const { code, variant } = step
  const isSame = found.variant === null || found.variant === variant
  insist(isSame, 'M11', 'forbidden-stage', 'this case is of another variant') // M11
  insist(step.on === found.on, 'M11', 'stale-stage', 'another step was taken in the meantime') // M11
  const isNext = following(variant, found.stage).includes(code)
  insist(isNext, 'M11', 'forbidden-stage', 'this step does not follow') // M11
  const stage = STAGES[code]
  const isOurs = side !== null && (side === stage?.side || side === 'either' || stage?.side === 'either')
  insist(isOurs, 'M11', 'wrong-side', "this step is the other side's") // M11
  const isConfirming = CONFIRMING.includes(code)
  insist(!isConfirming || found.isUnconfirmed, 'M11', 'forbidden-stage', 'nothing waits for it') // M11
  const isHeld = code === 'closed' && found.isUnconfirmed
  insist(!isHeld, 'M11', 'confirmation-needed', 'an urgent request is confirmed first') // M11
  const waits = step.consultation !== null && typeof found.consultations.get(step.consultation) === 'number'
  insist(code !== 'consulted' || waits, 'M11', 'forbidden-stage', 'no such consultation waits') // M11
  const isFree = !stage?.consults || step.override !== null || isSettled(found, step.consultation, now)
  insist(isFree, 'M11', 'consultation-needed', 'no consultation, or neither answered nor over') // M11
}

export interface StepPlace {
  readonly by: Bytes
  readonly seq: number
  readonly due: number | null
  readonly now: number
  readonly keyrings: Keyrings
}

/** The case of a thread after one more step at `seq`. @throws Refused M10, M11 */
export function acceptStep(state: ThreadState, step: Step, place: StepPlace): Case {
  const found = state.case ?? NO_STEPS
  const parties = partiesOf(state.members)
  insist(state.kind === 'case', 'M10', 'not-a-case', 'steps are taken in a case') // M10
  const isOfTwo = found.requesting !== null || parties.length === PARTIES
  insist(isOfTwo, 'M10', 'not-a-case', 'a case begins between two authorities') // M10
  checkFollowing(found, step, sideOf(found, place.by, place.keyrings), place.now) // M11
  const isShort = step.code === 'consultation' && (place.due ?? 0) - place.now < ANSWER_SECONDS
  insist(!isShort, 'M11', 'consultation-too-short', 'a consultation leaves a day at least to answer') // M11
  return caseAfter(found, step, parties, place)
}

function caseAfter(found: Case, step: Step, parties: readonly Bytes[], place: StepPlace): Case {
  const { by, seq, due, now } = place
  const { code } = step
  const stage = STAGES[code]
  const consultations = new Map(found.consultations)
  if (code === 'consultation') consultations.set(seq, due)
  if (code === 'consulted' && step.consultation !== null) consultations.set(step.consultation, null)
  const isAsking = found.requesting === null && stage?.side === 'requesting'
  return {
    variant: step.variant,
    stage: stage?.stays ? found.stage : code,
    on: seq,
    requesting: isAsking ? by : found.requesting,
    requested: isAsking ? (parties.find((party) => !equal(party, by)) ?? null) : found.requested,
    consultations,
    isUnconfirmed: (found.isUnconfirmed || code === 'sent-urgently') && !CONFIRMING.includes(code),
    steps: [...found.steps, { step, seq, by, at: now }],
  }
}

/** M12: exactly the facts of the stage, none empty, the ground one of its list. @throws Refused */
export function checkFacts({ code, variant, override }: Step, facts: Facts): void {
  const wanted = [...(STAGES[code]?.facts ?? [])]
  if (override !== null) wanted.push('override_reason')
  if (override === OTHER_TREATY || facts.ground === TREATY_GROUND) wanted.push('treaty')
  const names = Object.keys(facts)
  const isExact = names.length === wanted.length && wanted.every((name) => Object.hasOwn(facts, name))
  insist(isExact, 'M12', 'wrong-facts', `this step says exactly: ${wanted.join(', ')}`) // M12
  for (const [name, fact] of Object.entries(facts))
    insist(
      isFitting(FACTS[name], fact),
      'M12',
      'wrong-facts',
      `${name} is empty, too long, or of another shape`,
    ) // M12
  const grounds = GROUNDS_FOR[`${variant} ${code}`] ?? []
  const isGround = facts.ground === undefined || grounds.includes(String(facts.ground))
  insist(isGround, 'M12', 'wrong-ground', 'no ground for this step') // M12
}

const lengthOf = (text: string): number => [...text].length
const isSaid = (text: string): boolean => /[^ \t\r\n]/.test(text)

function isFitting(rule: FactRule | undefined, fact: unknown): boolean {
  if (rule === undefined) return false
  if (rule.kind === 'date') return typeof fact === 'number' && fact > 0 && fact <= LAST_DATE
  if (rule.kind === 'list') {
    const lines = Array.isArray(fact) ? (fact as readonly string[]) : null
    if (lines === null || lines.length < rule.least || lines.length > rule.most) return false
    return lines.every((line) => isSaid(line) && lengthOf(line) <= LINE_LIMIT)
  }
  return typeof fact === 'string' && (rule.least === 0 || isSaid(fact)) && lengthOf(fact) <= rule.most
}

/** The steps that `side` can take now, each of those that rest on a consultation once for each of them. */
export function stepsFor(found: Case, side: Side | null, now: number): Step[] {
  const variants = found.variant === null ? Object.keys(NEXT) : [found.variant]
  const possible = variants.flatMap((variant) =>
    following(variant, found.stage).flatMap((code) =>
      groundsOf(found, variant, code).map((rests) => ({ variant, code, on: found.on, ...rests })),
    ),
  )
  return possible.filter((step) => {
    try {
      checkFollowing(found, step, side, now)
      return true
    } catch (error) {
      if (error instanceof Refused) return false
      throw error
    }
  })
}

function groundsOf(found: Case, variant: string, code: string): Pick<Step, 'consultation' | 'override'>[] {
  const consultations = [...found.consultations.keys()].map((seq) => ({ consultation: seq, override: null }))
  const overrides = Object.keys(OVERRIDES)
    .filter((name) => OVERRIDES[name]?.includes(variant))
    .map((override) => ({ consultation: null, override }))
  if (STAGES[code]?.consults) return [...consultations, ...overrides]
  return code === 'consulted' ? consultations : [{ consultation: null, override: null }]
}
