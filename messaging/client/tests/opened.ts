// Messages as a device has opened them, for tests of what follows from them.
import type { Applied, OpenedMessage } from '../src/sealed/client.ts'
import type { Facts } from '../src/sealed/steps.ts'

/** A note of the other side, but for what is changed. */
export function opened(seq: number, changes: Partial<OpenedMessage> = {}): OpenedMessage {
  const isOwn = changes.isOwn ?? false
  return {
    id: `id-${seq}`,
    seq,
    at: seq,
    receivedAt: seq,
    kind: 'note',
    isOwn,
    isThisDevice: isOwn,
    principal: isOwn ? 'own' : 'other',
    device: 'device',
    person: 'person',
    name: 'Name',
    office: 'Office',
    language: 'en',
    subject: null,
    ownReference: null,
    foreignReference: null,
    urgency: 0,
    due: null,
    step: null,
    body: { type: 'note', text: 'Text', reason: null, files: [], about: null, moment: null },
    failed: null,
    marks: [],
    ...changes,
  }
}

/** A step that says these facts. */
export function step(seq: number, code: string, facts: Facts = {}, changes = {}): OpenedMessage {
  const taken = { variant: 'confiscation', code, on: 0, consultation: null, override: null }
  return opened(seq, { kind: 'stage', step: taken, body: { type: 'stage', facts }, ...changes })
}

export const applied = (message: OpenedMessage): Applied => ({
  thread: 't',
  seq: message.seq,
  known: false,
  at: message.receivedAt,
  hash: 'h',
  type: 'message',
  message,
})
