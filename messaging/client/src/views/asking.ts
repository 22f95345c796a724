// Loaded when it is needed: before the keys are restored, a colleague whose device still stands can agree (K11).
import { deviceWords } from '../sealed/keys.ts'
import type { Recovery } from '../sealed/recovery.ts'
import type { Base64, Hex } from '../transport/wire.ts'
import { byId, show } from './page.ts'
import type { Session } from './session.ts'
import type { WaitingChange } from './stewards.ts'

const LOOK_EVERY = 10_000

/** Puts the change before the colleagues, shows the code they compare, and waits until one of them has approved.
 *  @throws Failure, and what `signal` was aborted with */
export async function askColleague(
  session: Session,
  recovery: Recovery,
  { principal, signal }: { principal: Hex; signal: AbortSignal },
): Promise<Base64[]> {
  const { rest, info } = session
  const path = `keyrings/${principal}/approvals`
  await rest.post(path, { change: recovery.change.encoded, approval: null })
  byId('restore-code').textContent = await deviceWords(info.net, recovery.device.id)
  show(byId('restore-waiting'), true)
  byId('restore-waiting').focus()
  const id = await recovery.changeId()
  try {
    return await new Promise((resolve, reject) => {
      const look = async () => {
        const { approvals } = await rest.get<{ approvals: WaitingChange[] }>(path)
        const given = approvals.find((each) => each.id === id)?.approvals ?? []
        if (given.length > 0) resolve(given)
      }
      const quietly = () => void look().catch(() => undefined)
      const timer = setInterval(quietly, LOOK_EVERY)
      session.hear = { ...session.hear, 'messaging.approval.changed': quietly }
      signal.addEventListener('abort', () => reject(signal.reason))
      signal.addEventListener('abort', () => clearInterval(timer))
      quietly()
    })
  } finally {
    show(byId('restore-waiting'), false)
    session.hear = {}
  }
}
