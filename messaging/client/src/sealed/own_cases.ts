// Cases as one device sees them: where they stand, what it may do next, and that it does nothing else.
import type { Reader } from './known_thread.ts'
import type { Plaintext } from './plaintext.ts'
import { acceptStep, NO_STEPS, sideOf, stepsFor } from './stages.ts'
import type { Case, Side, Step } from './steps.ts'
import { partiesOf, type ThreadState } from './thread_entry.ts'
import type { Hex, Sealed, StepInput } from './wire.ts'

/** A case begins between two authorities: one asks, the other is asked. */
const PARTIES = 2

/** Seals what `make` gives, at `now`, as the next message, and nothing between the two. */
type SealNext = (thread: Hex, make: (now: number) => Plaintext) => Promise<Sealed>

/** A case from one side: `side` is the own one, `either` while nobody has asked for anything. */
export interface OwnCase {
  readonly case: Case
  readonly side: Side | null
  /** The steps that this side can take now; one that rests on a consultation, once for each of them. */
  readonly may: readonly Step[]
}

/** As it is sealed. */
const plaintextOf = ({ step, facts, language, urgency, due }: StepInput): Plaintext => ({
  body: { type: 'stage', step, facts },
  language,
  subject: null,
  ownReference: null,
  foreignReference: null,
  urgency,
  due,
})

export class OwnCases {
  readonly #reader: Pick<Reader, 'principal' | 'keyrings'>
  readonly #verified: (thread: Hex) => ThreadState
  readonly #sealNext: SealNext

  /** `verified`: @throws Refused not-verified */
  constructor(reader: Reader, verified: (thread: Hex) => ThreadState, sealNext: SealNext) {
    this.#reader = reader
    this.#verified = verified
    this.#sealNext = sealNext
  }

  /** Where the case of a thread stands; `may` is empty where no steps are taken. @throws Refused not-verified */
  see(thread: Hex): OwnCase {
    const state = this.#verified(thread)
    const found = state.case ?? NO_STEPS
    const side = sideOf(found, this.#reader.principal, this.#reader.keyrings)
    const isOfTwo = found.requesting !== null || partiesOf(state.members).length === PARTIES
    const now = Math.floor(Date.now() / 1000)
    return { case: found, side, may: state.kind === 'case' && isOfTwo ? stepsFor(found, side, now) : [] }
  }

  /** Nothing is signed that every reader would refuse. @throws Refused M10 to M12, and as for a note */
  seal(thread: Hex, written: StepInput): Promise<Sealed> {
    const { principal, keyrings } = this.#reader
    return this.#sealNext(thread, (now) => {
      const state = this.#verified(thread)
      const place = { by: principal, seq: state.seq + 1, due: written.due, now, keyrings }
      acceptStep(state, written.step, place) // M10 M11
      return plaintextOf(written)
    })
  }
}
