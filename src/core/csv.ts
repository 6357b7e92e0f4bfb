/**
 * Lines and cells of the CSV files that users are imported from: UTF-8 without a byte order mark, cells apart by commas,
 * a comma within a cell written as `\,`. There is no quoting: a quotation mark is a character like any other, and a line
 * always ends at its line break.
 */
import { isUtf8 } from 'node:buffer'

/** The longest line, in characters. */
export const lineLengthMax = 16_000
/** A character takes at most four bytes, and the line may end in a carriage return. */
const lineBytesMax = 4 * lineLengthMax + 1

/** Why the text of a line cannot be used. */
export type LineFault = 'too-long' | 'not-text'

export interface CsvLine {
  /** 1 for the first line of the file. */
  number: number
  /** Offset in the file of the byte behind the line and its line break: where reading can go on. */
  end: number
  /** Without the line break; empty when there is a fault. */
  text: string
  fault: LineFault | undefined
}

export interface LineSplitter {
  /** The lines that end within these bytes, which follow those of the call before. Empty lines count but are left out. */
  push(bytes: Buffer): CsvLine[]
  /** The last line, when the file does not end in a line break. */
  finish(): CsvLine[]
}

/**
 * Cuts a file into lines while it is read; it keeps no more than the longest line. Reading begins at `offset`, in front
 * of the line that follows the first `lines` lines.
 */
export const createLineSplitter = (from: { offset: number; lines: number }): LineSplitter => {
  let { offset, lines } = from
  let parts: Buffer[] = []
  let length = 0

  const append = (bytes: Buffer): void => {
    offset += bytes.length
    length += bytes.length
    if (length > lineBytesMax) parts = []
    else if (bytes.length > 0) parts.push(bytes)
  }
  const endLine = (): CsvLine[] => {
    lines += 1
    const line = length === 0 ? undefined : { number: lines, end: offset, ...textOf(parts, length) }
    parts = []
    length = 0
    return line === undefined || (line.text === '' && line.fault === undefined) ? [] : [line]
  }
  return {
    push(bytes) {
      const found: CsvLine[] = []
      let start = 0
      for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, start)) {
        append(bytes.subarray(start, at))
        offset += 1
        found.push(...endLine())
        start = at + 1
      }
      append(bytes.subarray(start))
      return found
    },
    finish: () => (length > 0 ? endLine() : []),
  }
}

const lineFeed = 0x0a

const textOf = (parts: readonly Buffer[], length: number): Pick<CsvLine, 'text' | 'fault'> => {
  if (length > lineBytesMax) return { text: '', fault: 'too-long' }
  const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  if (!isUtf8(bytes)) return { text: '', fault: 'not-text' }
  const whole = bytes.toString('utf8')
  const text = whole.endsWith('\r') ? whole.slice(0, -1) : whole
  if (text.length > lineLengthMax) return { text: '', fault: 'too-long' }
  return /[\0\r]/.test(text) ? { text: '', fault: 'not-text' } : { text, fault: undefined }
}

/** The cells of a line, without the blanks around them. Takes linear time. */
export const splitCells = (line: string): string[] => {
  const cells: string[] = []
  let cell = ''
  let start = 0
  for (let at = line.indexOf(','); at >= 0; at = line.indexOf(',', start)) {
    const isEscaped = at > start && line[at - 1] === '\\'
    cell += isEscaped ? `${line.slice(start, at - 1)},` : line.slice(start, at)
    start = at + 1
    if (isEscaped) continue
    cells.push(trimBlanks(cell))
    cell = ''
  }
  cells.push(trimBlanks(cell + line.slice(start)))
  return cells
}

/** Spaces and tabs only: a byte order mark, which `trim` takes for a blank, is none. */
const trimBlanks = (text: string): string => {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text[start])) start += 1
  while (end > start && isBlank(text[end - 1])) end -= 1
  return text.slice(start, end)
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t'
