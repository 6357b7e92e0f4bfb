import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ico, jpeg, png, svg } from '../../test/support/images.ts'
import { hasModestSize, readImage } from './images.ts'

const bitmap = (width: number, height: number): Buffer => {
  const header = Buffer.alloc(40)
  header.writeUInt32LE(40, 0)
  header.writeInt32LE(width, 4)
  header.writeInt32LE(height * 2, 8)
  return header
}

test('kind and size come from the bytes', () => {
  assert.deepEqual(readImage(png(300, 80)), { kind: 'PNG', width: 300, height: 80 })
  assert.deepEqual(readImage(jpeg(300, 80)), { kind: 'JPEG', width: 300, height: 80 })
  assert.deepEqual(readImage(ico(bitmap(16, 16), png(64, 32))), { kind: 'ICO', width: 64, height: 32 })
})

test('a view into a larger buffer is read within its bounds', () => {
  const whole = Buffer.concat([Buffer.alloc(5), png(3, 4), Buffer.alloc(5)])
  assert.equal(readImage(whole.subarray(5, -5))?.width, 3)
  assert.equal(readImage(whole.subarray(5)), undefined)
})

test('what is no whole image of these kinds is not one', () => {
  const icon = ico(png())
  const outside = Buffer.from(icon)
  outside.writeUInt32LE(0xffffffff, 14)
  const table: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('<script>alert(1)</script>')],
    ['an SVG', svg()],
    ['a GIF', Buffer.from('GIF89a\x01\x00\x01\x00\x00\x00\x00;', 'latin1')],
    ['the signature of PNG alone', png().subarray(0, 8)],
    ['a PNG with a page behind it', Buffer.concat([png(), Buffer.from('<html>')])],
    ['a PNG without its end', png().subarray(0, -12)],
    ['a PNG of no width', png(0, 1)],
    ['the beginning of a JPEG', jpeg().subarray(0, 12)],
    ['a JPEG of no height', jpeg(1, 0)],
    ['a JPEG without a frame', Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 2])],
    ['an icon without pictures', ico()],
    ['an icon of text', ico(Buffer.from('<html></html>'))],
    ['an icon with a picture outside of it', outside],
  ]
  for (const [what, bytes] of table) assert.equal(readImage(bytes), undefined, what)
})

test('no beginning of a file fails', () => {
  for (const file of [png(2, 2, 9), jpeg(), ico(bitmap(1, 1), png())]) {
    for (let length = 0; length < file.length; length += 1) readImage(file.subarray(0, length))
  }
})

test('a size that a browser would struggle with is not modest', () => {
  const isModest = (width: number, height: number) => hasModestSize({ kind: 'PNG', width, height })
  assert.equal(isModest(1, 1), true)
  assert.equal(isModest(5_120, 2_880), true)
  assert.equal(isModest(8_192, 1), true)
  assert.equal(isModest(8_193, 1), false)
  assert.equal(isModest(1, 30_000), false)
  assert.equal(isModest(8_000, 8_000), false)
})
