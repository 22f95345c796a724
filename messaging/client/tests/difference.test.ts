import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, type Piece } from '../src/views/difference.ts'

const SIGNS = { same: ['', ''], gone: ['[-', '-]'], new: ['[+', '+]'] } as const
const shown = (pieces: readonly Piece[]): string =>
  pieces.map(({ kind, text }) => `${SIGNS[kind][0]}${text}${SIGNS[kind][1]}`).join('')
const between = (before: string, after: string): string => shown(differences(before, after))

test('what stays stands once, what is gone before what is new', () => {
  assert.equal(between('', ''), '')
  assert.equal(between('On 5 May.', 'On 5 May.'), 'On 5 May.')
  assert.equal(between('', 'On 5 May.'), '[+On 5 May.+]')
  assert.equal(between('On 5 May.', ''), '[-On 5 May.-]')
  assert.equal(between('He paid on 5 May.', 'He paid twice in May.'), 'He paid [-on 5 -][+twice in +]May.')
  assert.equal(between('one two three', 'zero one three'), '[+zero +]one [-two -]three')
})

test('an end of line counts, blanks at the end of a word do not', () => {
  assert.equal(between('one\ntwo', 'one\ntwo\nthree'), 'one\ntwo[+\nthree+]')
  assert.equal(between('one two', 'one  two'), 'one  two')
  assert.notEqual(between('one two', 'one\ntwo'), 'one\ntwo')
})

test('words are found in every script', () => {
  assert.match(between('请求书草案 一', '请求书草案 二'), /^请求书草案 \[-一-\]\[\+二\+\]$/)
  assert.equal(between('تجميد الحساب', 'تجميد الأصول'), 'تجميد [-الحساب-][+الأصول+]')
})

test('what was and what is can be read off, whatever changed', () => {
  let seed = 7
  const pick = (most: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % most
  }
  const words = ['account', 'of', 'the', 'bank\n', 'in', 'May,', '0000']
  const text = () => Array.from({ length: pick(30) }, () => words[pick(words.length)]).join(' ')
  const plain = (value: string) => value.replace(/[^\S\n]+/g, '')
  for (let round = 0; round < 300; round += 1) {
    const [before, after] = [text(), text()]
    const found = differences(before, after)
    const without = (kind: Piece['kind']) =>
      found
        .filter((piece) => piece.kind !== kind)
        .map((piece) => piece.text)
        .join('')
    assert.equal(without('gone'), after)
    assert.equal(plain(without('new')), plain(before))
  }
})

test('texts that have nothing in common are compared soon', () => {
  const many = (word: string) => Array.from({ length: 3_000 }, (_, place) => `${word}${place}`).join(' ')
  const found = differences(many('a'), many('b'))
  assert.deepEqual(
    found.map(({ kind }) => kind),
    ['gone', 'new'],
  )
})
