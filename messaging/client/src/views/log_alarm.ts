import type { LogKeeper } from '../store/log.ts'
import { byId, show, text } from './page.ts'
import { sentenceFor } from './problem.ts'

/** Say it as soon as the log of keys cannot be trusted; and, where the page has a place for it, who watches. */
export function showLog(log: LogKeeper): void {
  const say = (code: string): void => {
    byId('log-alarm-text').textContent = sentenceFor(code)
    show(byId('log-alarm'), true)
  }
  log.onAlarm = say
  if (log.alarm !== null) say(log.alarm)
  const place = document.getElementById('log-watch')
  if (place) place.textContent = log.quorum === 0 ? text('log-unwatched') : text('log-watched')
}
