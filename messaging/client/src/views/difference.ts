// What a text says otherwise than the one before, word by word. Pure: no page.

export interface Piece {
  readonly kind: 'same' | 'gone' | 'new'
  readonly text: string
}

// Of the table of two texts; where they differ in more, the one stands whole beside the other.
const MOST_CELLS = 4_000_000

/** The words of a text in any script, each with the blanks behind it; an end of line is one of its own. */
function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'word' }).segment(text)) {
    const isBlank = segment.trim() === '' && !segment.includes('\n')
    if (isBlank && words.length > 0 && words.at(-1) !== '\n') words.push(`${words.pop()}${segment}`)
    else words.push(segment.includes('\n') && segment.trim() === '' ? '\n' : segment)
  }
  return words
}

const isSame = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && one.trim() === other?.trim() && (one === '\n') === (other === '\n')

/** How `after` comes from `before`: what stays, what was taken away, what is new; in each place the old first. */
export function differences(before: string, after: string): Piece[] {
  const [one, other] = [wordsOf(before), wordsOf(after)]
  let start = 0
  while (start < one.length && isSame(one[start], other[start])) start += 1
  let [end, otherEnd] = [one.length, other.length]
  while (end > start && otherEnd > start && isSame(one[end - 1], other[otherEnd - 1])) {
    end -= 1
    otherEnd -= 1
  }
  return joined([
    ...pieces('same', other.slice(0, start)),
    ...middle(one.slice(start, end), other.slice(start, otherEnd)),
    ...pieces('same', other.slice(otherEnd)),
  ])
}

const pieces = (kind: Piece['kind'], words: readonly string[]): Piece[] =>
  words.map((text) => ({ kind, text }))

/** By the longest common run of words, in the usual table. */
function middle(one: readonly string[], other: readonly string[]): Piece[] {
  if (one.length * other.length > MOST_CELLS) return [...pieces('gone', one), ...pieces('new', other)]
  const width = other.length + 1
  const lengths = new Uint16Array((one.length + 1) * width)
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0
  for (let row = one.length - 1; row >= 0; row -= 1)
    for (let column = other.length - 1; column >= 0; column -= 1)
      lengths[row * width + column] = isSame(one[row], other[column])
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1))
  const found: Piece[] = []
  let [row, column] = [0, 0]
  while (row < one.length || column < other.length) {
    const [gone, came] = [one[row], other[column]]
    if (gone !== undefined && came !== undefined && isSame(gone, came)) {
      found.push({ kind: 'same', text: came })
      row += 1
      column += 1
    } else if (gone !== undefined && at(row + 1, column) >= at(row, column + 1)) {
      found.push({ kind: 'gone', text: gone })
      row += 1
    } else {
      found.push({ kind: 'new', text: came ?? '' })
      column += 1
    }
  }
  return found
}

/** Neighbours of one kind are one piece; between two that stay, what is gone stands before what is new. */
function joined(found: readonly Piece[]): Piece[] {
  const result: Piece[] = []
  let change = { gone: '', new: '' }
  const close = () => {
    if (change.gone) result.push({ kind: 'gone', text: change.gone })
    if (change.new) result.push({ kind: 'new', text: change.new })
    change = { gone: '', new: '' }
  }
  for (const { kind, text } of found) {
    if (kind !== 'same') {
      change[kind] += text
      continue
    }
    close()
    const last = result.at(-1)
    if (last?.kind === 'same') result[result.length - 1] = { kind, text: `${last.text}${text}` }
    else result.push({ kind, text })
  }
  close()
  return result
}
