import { retryDelay } from './transport/backoff.ts'
import { Failure } from './transport/failure.ts'
import { Rest } from './transport/rest.ts'
import { byId, show, text } from './views/page.ts'
import { sentence } from './views/problem.ts'
import { showThread } from './views/thread.ts'
import { showThreads } from './views/threads.ts'

const PAGES: Record<string, (rest: Rest) => Promise<void>> = {
  threads: showThreads,
  thread: showThread,
  'new-thread': async (rest) => (await import('./views/new_thread.ts')).showNewThread(rest),
  counterpart: async (rest) => (await import('./views/counterpart.ts')).showCounterpart(rest),
  contact: async (rest) => (await import('./views/contact.ts')).showContact(rest),
  confirming: async (rest) => (await import('./views/confirming.ts')).showConfirming(rest),
  draft: async (rest) => (await import('./views/draft.ts')).showDraft(rest),
  devices: async (rest) => (await import('./views/devices.ts')).showDevices(rest), // rarely opened
  parties: async (rest) => (await import('./views/joining.ts')).showParties(rest),
  practice: async (rest) => (await import('./views/practice.ts')).showPractice(rest),
  practitioners: async (rest) => (await import('./views/practitioners.ts')).showPractitioners(rest),
  formal: async (rest) => (await import('./views/formal.ts')).showFormal(rest),
  record: async (rest) => (await import('./views/record.ts')).showRecord(rest),
  restores: async (rest) => (await import('./views/restores.ts')).showRestores(rest),
  step: async (rest) => (await import('./views/step.ts')).showStep(rest),
  report: async (rest) => (await import('./views/report.ts')).showReport(rest),
}

async function start(): Promise<void> {
  const page = PAGES[document.body.dataset.page ?? '']
  if (page === undefined) return
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? ''
  const rest = new Rest(token, askForProof)
  if (!('locks' in navigator) || !crypto.subtle || !('indexedDB' in window))
    return stopWith(text('browser-too-old'))
  for (let attempt = 0; ; attempt += 1) {
    try {
      await page(rest)
      return
    } catch (error) {
      if (error instanceof Failure && error.isSignedOut) return location.assign('/sign-in/')
      stopWith(sentence(error))
      if (!(error instanceof Failure && error.isTemporary)) throw error
      await new Promise((resolve) => setTimeout(resolve, retryDelay(attempt)))
      show(byId('page-problem'), false)
    }
  }
}

/** The dialog of the page (`network/passkey.js`) asks for the passkey; without that script there is no proof. */
function askForProof(): Promise<void> {
  return new Promise((resolve, reject) => {
    const detail = { resolve, reject }
    const isHeard = !document.dispatchEvent(new CustomEvent('network:prove', { cancelable: true, detail }))
    if (!isHeard) reject(new Failure('proof-needed', '', 403))
  })
}

function stopWith(problem: string): void {
  byId('page-problem-text').textContent = problem
  show(byId('page-problem'), true)
  show(byId('loading'), false)
}

// Whatever was not foreseen is said, not swallowed; a broken line has its own banner.
addEventListener('unhandledrejection', (event) => {
  if (event.reason instanceof Failure && event.reason.isTemporary) event.preventDefault()
  else stopWith(sentence(event.reason))
})

void start()
