/** Small image files for tests. Their pixels are never looked at, so the sizes they claim cost nothing. */

const chunk = (type: string, content: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, Buffer.from(type, 'latin1'), content, Buffer.alloc(4)])
}

/** A PNG file that claims this size; `padding` bytes make it as large as a test needs. */
export const png = (width = 1, height = 1, padding = 0): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 6], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const data = chunk('IDAT', Buffer.alloc(padding))
  return Buffer.concat([signature, chunk('IHDR', header), data, chunk('IEND', Buffer.alloc(0))])
}

/** A JPEG file that claims this size. */
export const jpeg = (width = 1, height = 1): Buffer => {
  const frame = Buffer.from([0xff, 0xc0, 0, 11, 8, 0, 0, 0, 0, 1, 1, 0x11, 0])
  frame.writeUInt16BE(height, 5)
  frame.writeUInt16BE(width, 7)
  const application = Buffer.from([0xff, 0xe0, 0, 4, 0, 0])
  const scan = Buffer.from([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0, 0xff, 0xd9])
  return Buffer.concat([Buffer.from([0xff, 0xd8]), application, frame, scan])
}

/** An icon file that holds these pictures. */
export const ico = (...pictures: Buffer[]): Buffer => {
  const directory = Buffer.alloc(6 + pictures.length * 16)
  directory.set([0, 0, 1, 0])
  directory.writeUInt16LE(pictures.length, 4)
  let offset = directory.length
  for (const [index, picture] of pictures.entries()) {
    directory.writeUInt32LE(picture.length, 6 + index * 16 + 8)
    directory.writeUInt32LE(offset, 6 + index * 16 + 12)
    offset += picture.length
  }
  return Buffer.concat([directory, ...pictures])
}

export const svg = (content = '<rect width="1" height="1"/>'): Buffer =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">${content}</svg>`)
