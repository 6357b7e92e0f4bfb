import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeGeoDatabase } from '../../test/support/geo-database.ts'
import { openGeoDatabase } from './geo-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'cenote-geo-'))
after(() => rmSync(folder, { recursive: true }))

test('places of cities and of countries are read, and what is not there is not known', () => {
  const file = join(folder, 'city.mmdb')
  writeFileSync(
    file,
    makeGeoDatabase([
      [
        '198.51.100.0/24',
        {
          city: { names: { en: 'Lyon', de: 'Lyon' } },
          country: { iso_code: 'FR', names: { en: 'France', de: 'Frankreich' } },
          location: { latitude: 45.76, longitude: 4.84 },
        },
      ],
      ['203.0.113.0/24', { country: { iso_code: 'JP', names: { en: 'Japan' } } }],
    ]),
  )
  const places = openGeoDatabase(file)
  assert.deepEqual(places.find('198.51.100.7'), {
    city: 'Lyon',
    country: 'France',
    latitude: 45.76,
    longitude: 4.84,
  })
  assert.deepEqual(places.find('203.0.113.200'), { country: 'Japan' })
  assert.equal(places.find('192.0.2.1'), undefined)
  assert.equal(places.find('127.0.0.1'), undefined)
  assert.equal(places.find('2001:db8::1'), undefined)
})

test('a file that is no database is refused', () => {
  const file = join(folder, 'other.mmdb')
  writeFileSync(file, 'nothing')
  assert.throws(() => openGeoDatabase(file))
  assert.throws(() => openGeoDatabase(join(folder, 'none.mmdb')), { code: 'ENOENT' })
})
