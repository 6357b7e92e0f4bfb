/**
 * Leaked passwords, from a file of the operator: one SHA-1 digest a line in upper-case hex, sorted, each followed by a colon
 * and a count or by nothing, as Have I Been Pwned offers it for download. The file is searched where it lies: it may have
 * dozens of gigabytes, and a look-up reads a few kilobytes of it.
 */
import { open } from 'node:fs/promises'
import type { LeakedPasswords } from '../core/ports.ts'

const digestLength = 40
/** Longer than any line. */
const windowBytes = 4_096

/** @throws Error when the file cannot be read or does not begin with a digest. */
export const openLeakedPasswords = async (file: string): Promise<LeakedPasswords & { close(): Promise<void> }> => {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const readAt = async (position: number): Promise<string> => {
      const buffer = Buffer.allocUnsafe(windowBytes)
      const { bytesRead } = await handle.read(buffer, 0, windowBytes, position)
      return buffer.toString('latin1', 0, bytesRead)
    }
    const start = await readAt(0)
    if (!/^[0-9A-F]{40}(:\d+)?(\r?\n|$)/.test(start)) throw new Error('it does not begin with a SHA-1 digest')
    return { has: digest => search(readAt, size, digest), close: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Halves the range of positions at which the line may begin until one window covers it. A line that begins before the
 * window is skipped; `low` always is the beginning of a line.
 */
const search = async (
  readAt: (position: number) => Promise<string>,
  size: number,
  digest: string,
): Promise<boolean> => {
  let low = 0
  let high = size
  while (high - low > windowBytes / 2) {
    const middle = Math.floor((low + high) / 2)
    const text = await readAt(middle)
    const at = text.indexOf('\n') + 1
    const found = text.slice(at, at + digestLength)
    if (at === 0 || found.length < digestLength || middle + at >= high) high = middle
    else if (found <= digest) low = middle + at
    else high = middle
  }
  const text = await readAt(low)
  return text.startsWith(digest) || text.includes(`\n${digest}`)
}
