// The drafts of a request that a thread has: each version, and what was said of its parts. Pure: no page, no network.
import { DRAFT_FACTS } from '../generated/turns.ts'
import type { Applied, OpenedMessage } from '../sealed/client.ts'
import { messagesOf } from './summary.ts'

export const DRAFT = 'draft-shared'
/** Says of a note that what it is about is to be asked for by a request. */
export const FORMALLY = 'formally'
/** What a request contains, (a) to (f) of article 18(15). */
export const REQUEST_FACTS = DRAFT_FACTS.filter((name) => name !== 'version')

export interface Version {
  readonly message: OpenedMessage
  /** What each part says; nothing where it cannot be read. */
  readonly facts: Readonly<Record<string, string>>
}

export interface Comment {
  readonly message: OpenedMessage
  readonly version: Version
  readonly part: string
  readonly text: string
}

/** Oldest first. */
export function versionsIn(applied: readonly Applied[]): Version[] {
  return messagesOf(applied)
    .filter(({ step }) => step?.code === DRAFT)
    .map((message) => ({ message, facts: factsOf(message) }))
}

function factsOf({ body }: OpenedMessage): Record<string, string> {
  if (body?.type !== 'stage') return {}
  return Object.fromEntries(DRAFT_FACTS.map((name) => [name, String(body.facts[name] ?? '')]))
}

/** What was said of these versions. Only of what stands at the place that the note names. */
export function commentsOn(versions: readonly Version[], applied: readonly Applied[]): Comment[] {
  return messagesOf(applied).flatMap((message) => {
    const { body } = message
    if (body?.type !== 'note' || body.about === null || body.about.part === FORMALLY) return []
    const { of, seq, part } = body.about
    const version = versions.find((one) => one.message.id === of && one.message.seq === seq)
    return version ? [{ message, version, part, text: body.text }] : []
  })
}
