// A case from its request to its end, as TypeScript makes it, and texts of steps for tests.
import { FACTS, GROUNDS_FOR, OTHER_TREATY, STAGES, TREATY_GROUND } from '../src/generated/stages.ts'
import type { Bytes } from '../src/sealed/encoding.ts'
import type { Plaintext } from '../src/sealed/message.ts'
import type { Fact, Facts, Step } from '../src/sealed/steps.ts'
import { AT, type MadeDevice, note, type ThreadMaker } from './thread_story.ts'

const DUE = AT + 2 * 86_400

function factOf(name: string, ground: string): Fact {
  const kind = FACTS[name]?.kind
  if (kind === 'list') return [`Premier de ${name}`, 'Second']
  if (kind === 'date') return DUE
  return kind === 'ground' ? ground : `Sur ${name}. 数 نص`
}

/** Facts that hold for a step. */
export function factsFor({ code, variant, override }: Step): Facts {
  const ground = GROUNDS_FOR[`${variant} ${code}`]?.[0] ?? ''
  const names = [...(STAGES[code]?.facts ?? [])]
  if (override !== null) names.push('override_reason')
  if (override === OTHER_TREATY || ground === TREATY_GROUND) names.push('treaty')
  return Object.fromEntries(names.map((name) => [name, factOf(name, ground)]))
}

/** A step that says what it has to. */
export const stepText = (step: Step, facts: Facts = factsFor(step)): Plaintext => ({
  ...note(''),
  body: { type: 'stage', step, facts },
  urgency: STAGES[step.code]?.urgent ? 1 : 0,
  due: STAGES[step.code]?.due ? DUE : null,
})

/** A note that says what it is about. */
function commentOn(of: Bytes): Plaintext {
  const about = { of, seq: 2, part: 'summary' }
  return {
    ...note(''),
    body: { type: 'note', text: 'Quel jour ?', reason: null, files: [], about, moment: null },
  }
}

/** A asks B for an extradition; B consults A, and surrenders; a second refusal rests on another treaty. */
export async function tellOfSteps(maker: ThreadMaker, ada: MadeDevice, bo: MadeDevice): Promise<void> {
  await maker.begin(ada, ['A', 'B'], { kind: 'case', link: null })
  const take = async (code: string, rests: Partial<Step> = {}) => {
    const on = maker.state?.case?.on ?? 0
    const step = { variant: 'extradition', code, on, consultation: null, override: null, ...rests }
    const isOfA = STAGES[code]?.side !== 'requested'
    await maker.message(isOfA ? ada : bo, isOfA ? 'A' : 'B', stepText(step))
    return maker.state?.seq ?? 0
  }
  await take('inquiry')
  await take('sent')
  await take('arrest-asked')
  await maker.message(bo, 'B', note('Bien reçu'))
  await take('acknowledged')
  const consultation = await take('consultation')
  await take('consulted', { consultation })
  await take('postponed', { consultation })
  await take('accepted')
  await take('refused-in-part', { override: OTHER_TREATY })
  await take('surrender-decided')
  await take('surrendered')
  await take('closed')
  await maker.message(bo, 'B', commentOn(await maker.message(ada, 'A', note('Un brouillon'))))
}
