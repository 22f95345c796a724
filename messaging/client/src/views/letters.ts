import type { Rest } from '../transport/rest.ts'
import type { Composer } from './composer.ts'
import { byId } from './page.ts'
import { showProblem } from './problem.ts'

/** Model texts, put where one writes: as chosen in the form, or as the address of the page asks, once. */
export function offerLetters(rest: Rest, composer: Composer): void {
  const select = byId<HTMLSelectElement>('letter')
  select.addEventListener('change', () => {
    const code = select.value
    select.value = ''
    void begin(rest, composer, code)
  })
}

/** Only where the page was come to: after a reload the text was sent, or taken away. */
export async function beginAskedLetter(rest: Rest, composer: Composer): Promise<void> {
  const code = new URLSearchParams(location.search).get('letter')
  const [came] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  if (code !== null && came?.type === 'navigate' && composer.get('text') === '')
    await begin(rest, composer, code)
}

async function begin(rest: Rest, composer: Composer, code: string): Promise<void> {
  const problem = byId('composer-problem')
  showProblem(problem, null)
  try {
    const { letters } = await rest.get<{ letters: Record<string, string> }>(
      `letters/${composer.get('language')}`,
    )
    const text = letters[code]
    if (text !== undefined) composer.insert(text)
  } catch (error) {
    showProblem(problem, error)
  }
}
