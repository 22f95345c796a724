import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { Failure } from '../src/transport/failure.ts'
import { type LineState, Socket } from '../src/transport/socket.ts'

/** The browser's side of a line whose other end is the test. */
class Line extends EventTarget {
  readyState = 1
  sent: { id: string; command: string; body: Record<string, unknown> }[] = []

  send(data: string): void {
    this.sent.push(JSON.parse(data))
  }

  close(code = 1006): void {
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event('close'), { code }))
  }

  say(frame: unknown): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(frame) }))
  }
}

function connected() {
  const lines: Line[] = []
  const heard: unknown[] = []
  const states: LineState[] = []
  let [reloads, unheard] = [0, 0]
  const socket = new Socket({
    url: 'ws://localhost/socket/',
    cursors: { 'authority:a': 4 },
    onEvent: (name, body) => heard.push([name, body]),
    onState: (state) => states.push(state),
    onReload: () => {
      reloads += 1
    },
    onUnheard: () => {
      unheard += 1
    },
    connect: () => {
      const line = new Line()
      lines.push(line)
      return line as unknown as WebSocket
    },
  })
  socket.connect()
  const line = () => lines.at(-1) as Line
  const open = async (result: unknown = { reload: [], cursors: {} }) => {
    line().say({ event: 'network.session.opened', body: { protocol: 1, cursors: {} } })
    line().say({ id: line().sent.at(-1)?.id, result })
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { socket, lines, line, open, heard, states, reloads: () => reloads, unheard: () => unheard }
}

test('after a break the socket resumes from the last event it has heard', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { socket, lines, line, open, states } = connected()
  await open()
  assert.equal(socket.isOpen, true)
  line().say({
    event: 'messaging.keyring.grew',
    audience: 'authority:a',
    seq: 5,
    body: { principal: 'p', n: 1, head: 'h' },
  })
  line().close(4412)
  assert.equal(states.at(-1), 'waiting')
  t.mock.timers.tick(500)
  await open()
  assert.equal(lines.length, 2)
  assert.deepEqual(line().sent[0]?.body, { cursors: { 'authority:a': 5 } })
})

test('an event that this client does not know is counted and left alone', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { socket, line, open, heard } = connected()
  await open()
  line().say({ event: 'messaging.something.happened', audience: 'authority:a', seq: 5, body: {} })
  assert.equal(socket.unknownEvents, 1)
  assert.deepEqual(heard, [])
  assert.equal(socket.cursors['authority:a'], 5)
})

test('a command that the line swallowed is a failure without a definite answer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { socket, line, open } = connected()
  await open()
  const asked = socket.command('messaging.messages.append', { messages: [] })
  line().close(1006)
  await assert.rejects(asked, (error) => error instanceof Failure && error.isTemporary)
})

test('a refusal over the socket is a definite answer with the sentence of the server', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { socket, line, open } = connected()
  await open()
  const asked = socket.command('messaging.messages.append', { messages: [] })
  line().say({ id: line().sent.at(-1)?.id, error: { code: 'not-a-member', message: 'No.' } })
  await assert.rejects(
    asked,
    (error) => error instanceof Failure && !error.isTemporary && error.message === 'No.',
  )
})

test('when the session has ended nothing is tried again', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  try {
    const { lines, line, open, states } = connected()
    await open()
    line().close(4401)
    mock.timers.tick(120_000)
    assert.equal(states.at(-1), 'ended')
    assert.equal(lines.length, 1)
  } finally {
    mock.timers.reset()
  }
})

test('a line that closes before it was heard is told; a session that ended is not tried again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { socket, lines, line, open, states, unheard } = connected()
  line().close(1006)
  assert.equal(unheard(), 1)
  t.mock.timers.tick(1_000)
  await open()
  line().close(1006)
  assert.equal(unheard(), 1)
  socket.end()
  t.mock.timers.tick(120_000)
  socket.connect()
  assert.equal(states.at(-1), 'ended')
  assert.equal(lines.length, 2)
})

test('a cursor that is too old makes the page read everything again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { socket, open, reloads } = connected()
  await open({ reload: ['authority:a'], cursors: { 'authority:a': 90 } })
  assert.equal(reloads(), 1)
  assert.equal(socket.cursors['authority:a'], 90)
})
