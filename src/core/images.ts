/**
 * Image files as their bytes tell it, whatever their name says: kind and size in pixels. Only the frame of the file is
 * read; nothing is decoded.
 */

export interface Image {
  kind: 'PNG' | 'JPEG' | 'ICO'
  /** Pixels of the largest picture in the file. */
  width: number
  height: number
}

/** Room for a background on a large screen. A browser needs four bytes of memory for each pixel. */
const sideMax = 8_192
const pixelsMax = 40_000_000

/** True when a browser can show it without an effort out of proportion to the file. */
export const hasModestSize = ({ width, height }: Image): boolean =>
  width <= sideMax && height <= sideMax && width * height <= pixelsMax

/** The image, or undefined when the bytes are no whole PNG, JPEG or ICO file. Takes time in proportion to the length. */
export const readImage = (bytes: Uint8Array): Image | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const image = readPng(view) ?? readJpeg(view) ?? readIco(view)
  return image !== undefined && image.width > 0 && image.height > 0 ? image : undefined
}

const startsWith = (view: DataView, offset: number, bytes: readonly number[]): boolean =>
  view.byteLength >= offset + bytes.length && bytes.every((byte, index) => view.getUint8(offset + index) === byte)

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const pngChunk = { header: 0x49484452, data: 0x49444154, end: 0x49454e44 }
/** Length, type and checksum around the content of a chunk. */
const pngChunkFrame = 12

/** PNG, section 5: a header, chunks with at least one of data, and an end with nothing behind it. */
const readPng = (view: DataView): Image | undefined => {
  const size = pngSize(view, 0)
  if (size === undefined) return undefined
  let hasData = false
  for (let at = pngSignature.length; at + pngChunkFrame <= view.byteLength; ) {
    const type = view.getUint32(at + 4)
    if (type === pngChunk.data) hasData = true
    at += pngChunkFrame + view.getUint32(at)
    if (type === pngChunk.end) return hasData && at === view.byteLength ? { kind: 'PNG', ...size } : undefined
  }
  return undefined
}

/** Width and height of the PNG that begins at the offset. */
const pngSize = (view: DataView, offset: number): { width: number; height: number } | undefined => {
  const header = offset + pngSignature.length
  if (!startsWith(view, offset, pngSignature) || view.byteLength < header + pngChunkFrame + 13) return undefined
  if (view.getUint32(header) !== 13 || view.getUint32(header + 4) !== pngChunk.header) return undefined
  return { width: view.getUint32(header + 8), height: view.getUint32(header + 12) }
}

const jpegMarker = { start: 0xd8, end: 0xd9, scan: 0xda }
/** The start-of-frame markers: C0 to CF without the tables and the extension that share the range. */
const isJpegFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

/** JPEG (ITU-T T.81, annex B): segments up to the first scan, one of which gives the size of the frame. */
const readJpeg = (view: DataView): Image | undefined => {
  if (!startsWith(view, 0, [0xff, jpegMarker.start, 0xff])) return undefined
  let size: { width: number; height: number } | undefined
  for (let at = 2; at + 4 <= view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return undefined
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) {
      at += 1
      continue
    }
    if (marker === jpegMarker.scan) return size && { kind: 'JPEG', ...size }
    const length = view.getUint16(at + 2)
    if (marker === jpegMarker.end || length < 2 || at + 2 + length > view.byteLength) return undefined
    if (isJpegFrame(marker)) {
      if (size !== undefined || length < 8) return undefined
      size = { width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
    }
    at += 2 + length
  }
  return undefined
}

const icoDirectory = 6
const icoEntry = 16
const bitmapHeader = 40

/** ICO: a directory of pictures, each a PNG or a bitmap without its file header, inside the file. */
const readIco = (view: DataView): Image | undefined => {
  if (!startsWith(view, 0, [0, 0, 1, 0]) || view.byteLength < icoDirectory) return undefined
  const count = view.getUint16(4, true)
  const pictures = icoDirectory + count * icoEntry
  if (count === 0 || view.byteLength < pictures) return undefined
  const largest = { width: 0, height: 0 }
  for (let entry = icoDirectory; entry < pictures; entry += icoEntry) {
    const [length, offset] = [view.getUint32(entry + 8, true), view.getUint32(entry + 12, true)]
    if (offset + length > view.byteLength) return undefined
    const size = pngSize(view, offset) ?? bitmapSize(view, offset)
    if (size === undefined) return undefined
    largest.width = Math.max(largest.width, size.width)
    largest.height = Math.max(largest.height, size.height)
  }
  return { kind: 'ICO', ...largest }
}

/** The height of a bitmap in an icon counts its mask too. */
const bitmapSize = (view: DataView, offset: number): { width: number; height: number } | undefined => {
  if (view.byteLength < offset + bitmapHeader || view.getUint32(offset, true) !== bitmapHeader) return undefined
  const [width, height] = [view.getInt32(offset + 4, true), view.getInt32(offset + 8, true)]
  return { width: Math.abs(width), height: Math.abs(height) / 2 }
}
