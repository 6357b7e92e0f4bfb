import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuMsOf } from '../../test/support/cpu-time.ts'
import { type CsvLine, createLineSplitter, lineLengthMax, splitCells } from './csv.ts'

/** All lines of the file, read in pieces of this size. */
const linesOf = (file: string | Buffer, size = 7): CsvLine[] => {
  const bytes = Buffer.from(file)
  const splitter = createLineSplitter({ offset: 0, lines: 0 })
  const lines: CsvLine[] = []
  for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)))
  return [...lines, ...splitter.finish()]
}
const texts = (lines: CsvLine[]) => lines.map(({ text, fault }) => fault ?? text)

test('lines end in LF or CRLF, the last one also at the end of the file', () => {
  const table: [string, string[]][] = [
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\r\nb\n', ['a', 'b']],
    ['a\n\nb', ['a', 'b']],
    ['\r\n\r\na\n', ['a']],
    [' \n', [' ']],
    ['\n', []],
    ['ä€😀\nñ', ['ä€😀', 'ñ']],
    ['"a\nb"', ['"a', 'b"']],
    ['a\rb\n', ['not-text']],
    ['a\0b\nc', ['not-text', 'c']],
    ['\ufeffa\n', ['\ufeffa']],
  ]
  for (const [file, expected] of table) {
    for (const size of [1, 2, 3, 100]) assert.deepEqual(texts(linesOf(file, size)), expected, JSON.stringify(file))
  }
})

test('bytes that are not UTF-8 spoil their own line only', () => {
  const file = Buffer.concat([Buffer.from('a\n'), Buffer.from([0xc3, 0x28, 0x0a]), Buffer.from('b\n')])
  assert.deepEqual(texts(linesOf(file)), ['a', 'not-text', 'b'])
  assert.deepEqual(texts(linesOf(Buffer.from('a,b\nc', 'utf16le'))), ['not-text', 'not-text'])
})

test('a line has at most 16,000 characters, whatever their bytes', () => {
  for (const character of ['a', 'é', '€']) {
    const longest = character.repeat(lineLengthMax)
    const lines = linesOf(`${longest}\r\n${longest}${character}\nb\n`, 1_000)
    assert.equal(lines[0]?.text, longest)
    assert.deepEqual(texts(lines.slice(1)), ['too-long', 'b'])
  }
  assert.deepEqual(texts(linesOf(`${'x'.repeat(300_000)}\nb`, 4_096)), ['too-long', 'b'])
})

test('empty lines are left out and counted', () => {
  assert.deepEqual(
    linesOf('\n\r\na\n\n\nb\n\n').map(({ number, end }) => [number, end]),
    [
      [3, 5],
      [6, 9],
    ],
  )
})

test('reading goes on at the end of any line', () => {
  const file = Buffer.from(`h\r\nä,b\n\n${'x'.repeat(70_000)}\nlast`)
  const all = linesOf(file)
  for (const [index, line] of all.entries()) {
    const splitter = createLineSplitter({ offset: line.end, lines: line.number })
    assert.deepEqual([...splitter.push(file.subarray(line.end)), ...splitter.finish()], all.slice(index + 1))
  }
  assert.equal(all.at(-1)?.end, file.length)
})

test('cells are apart by commas; a backslash makes a comma part of the cell', () => {
  const table: [string, string[]][] = [
    ['', ['']],
    ['a', ['a']],
    [',', ['', '']],
    ['a,b', ['a', 'b']],
    [' a\t, b c ,\t', ['a', 'b c', '']],
    ['a\\,b,c', ['a,b', 'c']],
    ['\\,\\,', [',,']],
    ['a\\b\\\\,c\\', ['a\\b\\,c\\']],
    ['"a","b"', ['"a"', '"b"']],
    ['=cmd()', ['=cmd()']],
    ['\ufeffa', ['\ufeffa']],
  ]
  for (const [line, cells] of table) assert.deepEqual(splitCells(line), cells, JSON.stringify(line))
})

test('the longest lines take no time', () => {
  const lines = [',', ' ', '\\,', '\\', ' x'].map(part => part.repeat(lineLengthMax / part.length))
  const splitAll = () => {
    for (const line of lines) splitCells(`x${line}x`.slice(0, lineLengthMax))
  }
  assert.ok(cpuMsOf(splitAll) < 500)
})
