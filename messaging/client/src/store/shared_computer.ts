// On a shared computer the keys go when nobody is signed in any more: `network/shared_computer.js`, which every page
// has, deletes what is named here.

const LIST = 'forget-at-sign-out'

function named(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(LIST) ?? '[]')
    return Array.isArray(found) ? found.filter((name) => typeof name === 'string') : []
  } catch {
    return []
  }
}

export const isForgottenAtSignOut = (database: string): boolean => named().includes(database)

export function forgetAtSignOut(database: string, isWanted: boolean): void {
  const others = named().filter((name) => name !== database)
  const wanted = isWanted ? [...others, database] : others
  if (wanted.length === 0) localStorage.removeItem(LIST)
  else localStorage.setItem(LIST, JSON.stringify(wanted))
}
