// The start page's own small script: keeps its numbers and lists as they are now, and names the threads whose
// subjects this device knows. The page is the server's and is whole without it.
import { Store } from '../store/store.ts'
import { Subjects } from '../store/subjects.ts'
import { Failure } from '../transport/failure.ts'
import { Rest } from '../transport/rest.ts'
import { Socket } from '../transport/socket.ts'
import type { Hex, SessionInfo } from '../transport/wire.ts'
import { dateTime } from './format.ts'
import { inTurn } from './in_turn.ts'

// What happens together is asked for once, and no more often than this.
const SOON = 250
const AT_MOST_EVERY = 1_500
const ANSWER_WITHIN = 15_000
// Seen again after a while: something may have been missed, and dates draw nearer.
const OLD = 60_000
const BELL = 'network.notifications.changed'

const page = byId('start')
const subjects = openStore()
let asked: ReturnType<typeof setTimeout> | undefined
let shownAt = Date.now()
let pristine = byId('start-now').cloneNode(true)

function byId(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no element ${id}`)
  return element
}

/** The living part of the page as the server has it now. Parsed as a document: no text becomes code. */
function fetchNow(): Promise<HTMLElement> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('GET', `/start/now/${location.search}`)
    request.responseType = 'document'
    request.timeout = ANSWER_WITHIN
    request.onload = () => {
      const found = request.responseXML?.getElementById('start-now')
      if (request.status === 200 && found) resolve(document.importNode(found, true))
      else if (request.responseURL.includes('/sign-in/')) leave()
      else reject(new Failure('no-answer', '', request.status))
    }
    request.onerror = () => reject(new Failure('no-answer'))
    request.ontimeout = request.onerror
    request.send()
  })
}

const refresh = inTurn(async () => {
  const fresh = await fetchNow().catch(() => null)
  if (fresh === null) return
  shownAt = Date.now()
  // What has not changed stays as it is, with focus, selection and subjects.
  if (fresh.isEqualNode(pristine)) return
  pristine = fresh.cloneNode(true)
  replace(fresh)
})

function replace(fresh: HTMLElement): void {
  const shown = byId('start-now')
  const focused = shown.contains(document.activeElement) ? placeOf(document.activeElement) : null
  carrySubjects(shown, fresh)
  shown.replaceWith(fresh)
  if (focused) fresh.querySelector<HTMLElement>(focused)?.focus({ preventScroll: true })
  sayWhatGrew(shown, fresh)
  void dress(fresh)
}

/** How to find again what had the focus: by where its link leads. */
function placeOf(element: Element | null): string | null {
  const href = element?.getAttribute('href')
  return href ? `a[href="${CSS.escape(href)}"]` : null
}

/** A screen reader hears of more to answer or more that is urgent, in one sentence, and of nothing else. */
function sayWhatGrew(before: HTMLElement, after: HTMLElement): void {
  const has = (element: HTMLElement, name: string): number => Number(element.dataset[name] ?? 0)
  const grew = ['answer', 'urgent'].some((name) => has(after, name) > has(before, name))
  if (grew) byId('start-said').textContent = after.dataset.said ?? ''
}

function refreshSoon(): void {
  if (asked !== undefined) return
  const wait = Math.max(SOON, shownAt + AT_MOST_EVERY - Date.now())
  asked = setTimeout(() => {
    asked = undefined
    void refresh()
  }, wait)
}

/** The bell has a script of its own, but no second line where there is one already. */
function hear(event: string): void {
  if (event === BELL) document.dispatchEvent(new CustomEvent('network:notifications'))
  refreshSoon()
}

function leave(): void {
  location.replace(`/sign-in/?next=${encodeURIComponent(location.pathname)}`)
}

/** Write times in the reader's zone, and subjects where this device knows them. */
async function dress(part: HTMLElement): Promise<void> {
  for (const time of part.querySelectorAll<HTMLTimeElement>('[data-moment] > time'))
    (time.querySelector('bdi') ?? time).textContent = dateTime(Date.parse(time.dateTime) / 1000)
  const opened = await subjects
  if (opened === null) return
  const unknown: Hex[] = []
  for (const line of part.querySelectorAll<HTMLElement>('[data-thread]')) {
    const thread = line.dataset.thread ?? ''
    if ((await opened.store.alarm(thread)) !== undefined) stop(line)
    const subject = await opened.subjects.get(thread)
    if (subject === null) unknown.push(thread)
    else name(line, subject)
  }
  if (unknown.length > 0) requestIdle(() => void openUnknown(unknown).catch(() => undefined))
}

const requestIdle = (work: () => void): void => {
  'requestIdleCallback' in window ? requestIdleCallback(work) : setTimeout(work, SOON)
}

const openUnknown = async (threads: Hex[]): Promise<void> => {
  const opened = await subjects
  if (opened === null || (await opened.store.device()) === undefined) return
  const { openSubjects } = await import('../store/open_subjects.ts')
  await openSubjects(opened.store, opened.subjects, threads, (thread, subject) => {
    const line = document.getElementById(`thread-${thread}`)
    if (line) name(line, subject)
  })
}

function name(line: HTMLElement, subject: string): void {
  const place = line.querySelector<HTMLElement>('[data-subject]')
  if (place === null || subject === '') return
  const words = place.querySelector('bdi') ?? place
  words.textContent = subject
  place.hidden = false
}

function stop(line: HTMLElement): void {
  const mark = line.querySelector<HTMLElement>('[data-stopped]')
  if (mark) mark.hidden = false
}

function carrySubjects(from: HTMLElement, to: HTMLElement): void {
  for (const line of from.querySelectorAll<HTMLElement>('[data-thread]')) {
    const subject = line.querySelector('[data-subject]')?.textContent
    const again = to.querySelector<HTMLElement>(`[data-thread="${CSS.escape(line.dataset.thread ?? '')}"]`)
    if (subject && again) name(again, subject)
  }
}

async function openStore(): Promise<{ store: Store; subjects: Subjects } | null> {
  const { reads, membership } = page.dataset
  if (reads === undefined || membership === undefined || !crypto.subtle) return null
  try {
    const store = await Store.open(membership)
    return { store, subjects: new Subjects(store) }
  } catch {
    return null // a browser that keeps nothing: authorities are named all the same
  }
}

async function listen(): Promise<void> {
  const { cursors } = await new Rest('', () => Promise.reject(new Failure('proof-needed'))).get<SessionInfo>(
    'session',
  )
  let wasOpen = false
  const socket = new Socket({
    url: `${location.origin.replace(/^http/, 'ws')}/socket/`,
    cursors,
    onEvent: () => undefined,
    onAny: hear,
    onReload: refreshSoon,
    onState: (state) => {
      if (state === 'ended') leave()
      byId('start-stale').hidden = state !== 'waiting'
      document.body.dataset.line = state
      if (state === 'open' && wasOpen) refreshSoon()
      wasOpen ||= state === 'open'
    },
    onUnheard: () => void refresh(),
  })
  socket.connect()
  addEventListener('online', () => socket.connect())
  addEventListener('offline', () => socket.drop())
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return
    socket.connect()
    if (Date.now() - shownAt > OLD) refreshSoon()
  })
}

async function begin(): Promise<void> {
  void dress(byId('start-now'))
  for (let wait = SOON; ; wait = Math.min(wait * 2, OLD)) {
    try {
      // Something may have happened between the page and the socket's cursors.
      await listen()
      return refreshSoon()
    } catch (error) {
      if (error instanceof Failure && error.isSignedOut) return leave()
      byId('start-stale').hidden = false
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
}

void begin()
