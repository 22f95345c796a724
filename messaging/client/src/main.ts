import { retryDelay } from './transport/backoff.ts'
import { Failure } from './transport/failure.ts'
import { Rest } from './transport/rest.ts'
import { showDevices } from './views/devices.ts'
import { showNewThread } from './views/new_thread.ts'
import { byId, show, text } from './views/page.ts'
import { sentence } from './views/problem.ts'
import { showThread } from './views/thread.ts'
import { showThreads } from './views/threads.ts'

const PAGES: Record<string, (rest: Rest) => Promise<void>> = {
  threads: showThreads,
  thread: showThread,
  'new-thread': showNewThread,
  devices: showDevices,
}

async function start(): Promise<void> {
  const page = PAGES[document.body.dataset.page ?? '']
  if (page === undefined) return
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? ''
  const rest = new Rest(token)
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

function stopWith(problem: string): void {
  byId('page-problem-text').textContent = problem
  show(byId('page-problem'), true)
  show(byId('loading'), false)
}

// Whatever was not foreseen is said, not swallowed; a broken line has its own banner.
addEventListener('unhandledrejection', (event) => {
  if (!(event.reason instanceof Failure && event.reason.isTemporary)) stopWith(sentence(event.reason))
})

void start()
