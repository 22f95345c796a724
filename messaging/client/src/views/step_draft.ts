import { CLOSED } from '../generated/stages.ts'
import type { StepInput } from '../sealed/client.ts'
import type { Step } from '../sealed/steps.ts'
import type { Correspondence } from '../store/correspondence.ts'
import { type Draft, DraftKeeper } from '../store/drafts.ts'
import type { Hex } from '../transport/wire.ts'
import { closingDraft } from './closing.ts'
import { fieldOf } from './format.ts'

/** The draft of a step in the case of a thread. */
export const stepDraft = (within: Correspondence, thread: Hex): DraftKeeper =>
  new DraftKeeper(within, `step-${thread}`)

/** What a step rests on, as the form names it. */
export const restsOf = ({ consultation, override }: Step): string =>
  override === null ? `consultation ${consultation}` : `override ${override}`

/** What was taken back before it was sent is a draft again. */
export async function keepAsDraft(within: Correspondence, thread: Hex, taken: StepInput): Promise<void> {
  const { step, facts, language, urgency, due } = taken
  const written = step.code === CLOSED ? closingDraft(facts) : Object.entries(facts)
  const said = written.map(([name, fact]) => {
    const value = typeof fact === 'number' ? fieldOf(fact) : typeof fact === 'string' ? fact : fact.join('\n')
    return [`fact:${name}`, value]
  })
  const fields: Omit<Draft, 'at'> = {
    variant: step.variant,
    code: step.code,
    rests: restsOf(step),
    urgency: String(urgency),
    due: due === null ? '' : fieldOf(due),
    language,
    ...Object.fromEntries(said),
  }
  const keeper = stepDraft(within, thread)
  keeper.save(fields)
  await keeper.flush()
}
