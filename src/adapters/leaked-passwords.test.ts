import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openLeakedPasswords } from './leaked-passwords.ts'

const folder = mkdtempSync(join(tmpdir(), 'cenote-leaked-'))
after(() => rmSync(folder, { recursive: true }))

const sha1 = (text: string) => hash('sha1', text, 'hex').toUpperCase()

const forms: [title: string, line: (digest: string, index: number) => string, end: string][] = [
  ['digests with counts and line breaks of Windows', (digest, index) => `${digest}:${index * 7_919}`, '\r\n'],
  ['bare digests', digest => digest, '\n'],
]

for (const [title, line, end] of forms) {
  for (const count of [1, 2, 50, 51, 5_000]) {
    test(`a file of ${count} ${title}: each of them is found, and no other`, async () => {
      const digests = Array.from({ length: count }, (_, index) => sha1(`leaked ${index}`)).sort()
      const file = join(folder, 'leaked.txt')
      writeFileSync(file, digests.map(line).join(end))
      const leaked = await openLeakedPasswords(file)
      try {
        for (const digest of digests) assert.ok(await leaked.has(digest), digest)
        for (let index = 0; index < 500; index += 1) assert.ok(!(await leaked.has(sha1(`other ${index}`))))
        for (const edge of ['0'.repeat(40), 'F'.repeat(40)]) assert.ok(!(await leaked.has(edge)))
      } finally {
        await leaked.close()
      }
    })
  }
}

test('a file that is no list of digests is refused', async () => {
  const file = join(folder, 'other.txt')
  for (const content of ['', 'password\n', `${sha1('x').toLowerCase()}\n`, `${sha1('x')}!`]) {
    writeFileSync(file, content)
    await assert.rejects(openLeakedPasswords(file), { message: 'it does not begin with a SHA-1 digest' })
  }
  await assert.rejects(openLeakedPasswords(join(folder, 'none')), { code: 'ENOENT' })
})
