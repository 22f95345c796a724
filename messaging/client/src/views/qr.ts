// A QR code (ISO/IEC 18004) of version 4, level Q: up to 67 characters of its alphanumeric set, a quarter of which
// may be damaged. It holds a recovery kit, a share or a fingerprint; nothing else is drawn, so nothing else is here.

/** Modules on a side, without the quiet zone. */
export const SIZE = 33
const QUIET = 4
const MOST = 67
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'
const BLOCKS = 2
const DATA = 24 // codewords of a block
const CHECK = 26
const LEVEL_Q = 0b11
const ALIGNMENT = 26

type Grid = (boolean | null)[][]

/** Rows of modules, true for dark. @throws RangeError when the text does not fit or has other characters */
export function qrModules(text: string): boolean[][] {
  const bits = placed(blocksOf(dataOf(text)))
  let best: boolean[][] | null = null
  let least = Number.POSITIVE_INFINITY
  for (let mask = 0; mask < MASKS.length; mask++) {
    const grid = drawn(bits, mask)
    const found = penalty(grid)
    if (found < least) [best, least] = [grid, found]
  }
  return best as boolean[][]
}

/** The code as a drawing: dark on white, also where the page is dark, with its quiet zone. */
export function drawQr(text: string): SVGSVGElement {
  const side = SIZE + 2 * QUIET
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('viewBox', `0 0 ${side} ${side}`)
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  const dark = qrModules(text).flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])),
  )
  path.setAttribute('d', dark.join(''))
  svg.append(path)
  return svg
}

// ---------------------------------------------------------------- codewords

function dataOf(text: string): number[] {
  const values = [...text].map((character) => ALPHABET.indexOf(character))
  if (values.length > MOST || values.includes(-1)) throw new RangeError('this text has no QR code here')
  let bits = `0010${binary(values.length, 9)}`
  for (let i = 0; i < values.length; i += 2) {
    const [one = 0, other] = values.slice(i, i + 2)
    bits += other === undefined ? binary(one, 6) : binary(one * 45 + other, 11)
  }
  const size = BLOCKS * DATA * 8
  bits += '0'.repeat(Math.min(4, size - bits.length))
  bits += '0'.repeat((8 - (bits.length % 8)) % 8)
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))
  for (let pad = 0; bytes.length < BLOCKS * DATA; pad++) bytes.push(pad % 2 ? 0x11 : 0xec)
  return bytes
}

const binary = (value: number, size: number): string => value.toString(2).padStart(size, '0')

/** The blocks with their check codewords, interleaved, as bits with the 7 that remain. */
function blocksOf(data: number[]): string {
  const blocks = Array.from({ length: BLOCKS }, (_, i) => data.slice(i * DATA, (i + 1) * DATA))
  const checks = blocks.map(remainder)
  const mix = (parts: number[][], size: number) =>
    Array.from({ length: size }, (_, i) => parts.map((part) => binary(part[i] ?? 0, 8)).join('')).join('')
  return `${mix(blocks, DATA)}${mix(checks, CHECK)}0000000`
}

/** Reed-Solomon over GF(2^8) modulo 0x11d. */
function times(one: number, other: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d)
    product ^= ((other >> bit) & 1) * one
  }
  return product
}

function generator(): number[] {
  const result = [...Array(CHECK - 1).fill(0), 1] as number[]
  let root = 1
  for (let i = 0; i < CHECK; i++) {
    for (let j = 0; j < CHECK; j++) result[j] = times(result[j] ?? 0, root) ^ (result[j + 1] ?? 0)
    root = times(root, 2)
  }
  return result
}

function remainder(data: number[]): number[] {
  const divisor = generator()
  const result = Array(CHECK).fill(0) as number[]
  for (const byte of data) {
    const factor = byte ^ (result.shift() ?? 0)
    result.push(0)
    divisor.forEach((value, i) => {
      result[i] = (result[i] ?? 0) ^ times(value, factor)
    })
  }
  return result
}

// ---------------------------------------------------------------- modules

/** The fixed patterns; null where data goes. Format bits are light for the time being. */
function patterns(): Grid {
  const grid: Grid = Array.from({ length: SIZE }, () => Array(SIZE).fill(null))
  const put = (x: number, y: number, isDark: boolean) => {
    const row = grid[y]
    if (row && x >= 0 && x < SIZE) row[x] = isDark
  }
  for (let i = 0; i < SIZE; i++) {
    put(6, i, i % 2 === 0)
    put(i, 6, i % 2 === 0)
  }
  const ring = (centre: [number, number], radius: number, isDark: (distance: number) => boolean) => {
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++)
        put(centre[0] + dx, centre[1] + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))))
  }
  const far = SIZE - 4
  for (const centre of [
    [3, 3],
    [far, 3],
    [3, far],
  ] as [number, number][])
    ring(centre, 4, (distance) => distance !== 2 && distance !== 4)
  ring([ALIGNMENT, ALIGNMENT], 2, (distance) => distance !== 1)
  format(put, 0, 0)
  return grid
}

function format(put: (x: number, y: number, isDark: boolean) => void, mask: number, draw = 1): void {
  const value = (LEVEL_Q << 3) | mask
  let rest = value
  for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >> 9) * 0x537)
  const bits = draw * (((value << 10) | rest) ^ 0x5412)
  const bit = (i: number) => ((bits >> i) & 1) === 1
  for (let i = 0; i <= 5; i++) put(8, i, bit(i))
  put(8, 7, bit(6))
  put(8, 8, bit(7))
  put(7, 8, bit(8))
  for (let i = 9; i < 15; i++) put(14 - i, 8, bit(i))
  for (let i = 0; i < 8; i++) put(SIZE - 1 - i, 8, bit(i))
  for (let i = 8; i < 15; i++) put(8, SIZE - 15 + i, bit(i))
  put(8, SIZE - 8, true)
}

interface Placed {
  readonly grid: Grid
  readonly bits: { x: number; y: number; isDark: boolean }[]
}

/** Where each bit goes: columns of two from the right, upwards and downwards in turn, past the timing column. */
function placed(data: string): Placed {
  const grid = patterns()
  const bits: Placed['bits'] = []
  for (let right = SIZE - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5
    for (let step = 0; step < SIZE; step++) {
      const isUpwards = ((right + 1) & 2) === 0
      const y = isUpwards ? SIZE - 1 - step : step
      for (const x of [right, right - 1])
        if (grid[y]?.[x] === null) bits.push({ x, y, isDark: data[bits.length] === '1' })
    }
  }
  return { grid, bits }
}

const MASKS: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

function drawn({ grid, bits }: Placed, mask: number): boolean[][] {
  const result = grid.map((row) => row.map((module) => module === true))
  const put = (x: number, y: number, isDark: boolean) => {
    const row = result[y]
    if (row) row[x] = isDark
  }
  for (const { x, y, isDark } of bits) put(x, y, isDark !== MASKS[mask]?.(x, y))
  format(put, mask)
  return result
}

/** How hard a code is to read: long runs, squares, what looks like a finder, too much of one colour. */
function penalty(grid: boolean[][]): number {
  const rows = grid.map((row) => row.map((isDark) => (isDark ? '1' : '0')).join(''))
  const columns = rows.map((_, x) => rows.map((row) => row[x]).join(''))
  let sum = 0
  for (const line of [...rows, ...columns]) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2
    sum += 40 * (line.match(/(?=10111010000|00001011101)/g) ?? []).length
  }
  for (let y = 1; y < SIZE; y++)
    for (let x = 1; x < SIZE; x++) {
      const four = new Set([rows[y]?.[x], rows[y]?.[x - 1], rows[y - 1]?.[x], rows[y - 1]?.[x - 1]])
      if (four.size === 1) sum += 3
    }
  const share = (rows.join('').replaceAll('0', '').length / SIZE ** 2) * 100
  return sum + Math.floor(Math.abs(share - 50) / 5) * 10
}
