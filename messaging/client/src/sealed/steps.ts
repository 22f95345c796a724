// What a message that is a step in a case looks like; the rules of steps stand in stages.ts, fetched where one is met.
import { DRAFT_FACTS } from '../generated/turns.ts'
import type { Bytes, Value, ValueMap } from './encoding.ts'
import { insist } from './errors.ts'
import { asList, asText, Fields } from './statement.ts'

export type Side = 'requesting' | 'requested' | 'either'

/** What the signed header of a step says, and the server sees. `on`: the place of the newest step that its author had
 *  seen, 0 before the first; `consultation`: the place of the one that is answered, or that the step rests on. */
export interface Step {
  readonly variant: string
  readonly code: string
  readonly on: number
  readonly consultation: number | null
  readonly override: string | null
}

export type Fact = string | number | readonly string[]
export type Facts = Readonly<Record<string, Fact>>

/** Where a case stands, folded from the headers of its steps. `consultations`: by place, until when an answer was asked
 *  for, null once it was answered. */
export interface Case {
  readonly variant: string | null
  readonly stage: string
  readonly on: number
  readonly requesting: Bytes | null
  readonly requested: Bytes | null
  readonly consultations: ReadonlyMap<number, number | null>
  /** An urgent request still waits for its confirmation (18(14)). */
  readonly isUnconfirmed: boolean
  /** `at`: when the server received it, unix seconds. */
  readonly steps: readonly {
    readonly step: Step
    readonly seq: number
    readonly by: Bytes
    readonly at: number
  }[]
}

const NAME_LIMIT = 20
const LINE_LIMIT = 500

/** The step of a header, or null; whether the table has it is asked in stages.ts. @throws Refused bad-statement */
export function readStep(fields: Fields): Step | null {
  if (fields.isNull('stage')) return null
  const found = fields.map('stage', ['code', 'consultation', 'on', 'override', 'variant'])
  return {
    variant: found.text('variant', NAME_LIMIT),
    code: found.text('code', NAME_LIMIT),
    on: found.uint('on'),
    consultation: found.isNull('consultation') ? null : found.uint('consultation'),
    override: found.textOrNull('override', NAME_LIMIT),
  }
}

export const stepValue = ({ variant, code, on, consultation, override }: Step): ValueMap => ({
  code,
  consultation,
  on,
  override,
  variant,
})

/** The sealed body of a step. @throws Refused wrong-body */
export function readFacts(value: Value): Facts {
  const { facts } = value as ValueMap
  const isMap = typeof facts === 'object' && facts !== null && !Array.isArray(facts)
  insist(isMap && !(facts instanceof Uint8Array), 'M5', 'wrong-body', 'the facts of a step are a map')
  new Fields(value, ['type', 'facts'])
  const entries = Object.entries(facts as ValueMap).map(([name, fact]) => [name, takeFact(fact)] as const)
  return Object.fromEntries(entries.sort(([one], [other]) => placeOf(one) - placeOf(other)))
}

/** A draft is read as the article has it, (a) to (f); its encoding has another order. */
const placeOf = (name: string): number => DRAFT_FACTS.indexOf(name)

function takeFact(fact: Value): Fact {
  if (typeof fact === 'number' || typeof fact === 'string') return fact
  return asList(fact, 'fact').map((line) => asText(line, LINE_LIMIT, 'line'))
}

export const factValues = (facts: Facts): ValueMap =>
  Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [name, typeof fact === 'object' ? [...fact] : fact]),
  )

/** The rules of steps, fetched where one is met. */
export const stageRules = () => import('./stages.ts')
