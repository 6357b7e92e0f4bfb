import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FilterAttribute, filterAttributes, filterKey, matchesFilter, parseFilter } from './list-users-filter.ts'

test('a filter is read into attribute, operator and value', () => {
  const table: [string, FilterAttribute, '=' | '^=', string][] = [
    ['email = "ann@example.com"', 'email', '=', 'ann@example.com'],
    ['email="ann@example.com"', 'email', '=', 'ann@example.com'],
    ['"email"^="ann"', 'email', '^=', 'ann'],
    ['  "family_name"\t^=   "Re"  ', 'family_name', '^=', 'Re'],
    ['given_name = "Jon \\"Jonny\\" Snow"', 'given_name', '=', 'Jon "Jonny" Snow'],
    ['name = "back\\\\slash"', 'name', '=', 'back\\slash'],
    ['name = "back\\slash"', 'name', '=', 'back\\slash'],
    ['name = "100%_"', 'name', '=', '100%_'],
    ['name = "a = b ^= c"', 'name', '=', 'a = b ^= c'],
    ['name = ""', 'name', '=', ''],
    ['name ^= ""', 'name', '^=', ''],
    ['name = "\u00e9\n"', 'name', '=', '\u00e9\n'],
    ['cognito:user_status = "CONFIRMED"', 'cognito:user_status', '=', 'CONFIRMED'],
    ['"cognito:user_status"="Confirmed"', 'cognito:user_status', '=', 'Confirmed'],
    ['status = "Enabled"', 'status', '=', 'Enabled'],
    ['sub = "d6a4e8c0-0000-70aa-0000-000000000000"', 'sub', '=', 'd6a4e8c0-0000-70aa-0000-000000000000'],
    ['username = "\\" or 1=1 --"', 'username', '=', '" or 1=1 --'],
    [`name = "${'x'.repeat(247)}"`, 'name', '=', 'x'.repeat(247)],
  ]
  for (const [text, attribute, operator, value] of table) {
    assert.deepEqual(parseFilter(text), { attribute, operator, value }, text)
  }
})

test('no filter and an empty filter select everybody', () => {
  for (const text of [undefined, '', '   ']) assert.equal(parseFilter(text), undefined)
})

test('text that is no filter is refused', () => {
  const bad = [
    'username = foo',
    'username=',
    'username',
    '= "foo"',
    '"" = ',
    'username "foo"',
    'username == "foo"',
    'username != "foo"',
    'username ^ = "foo"',
    'username = "foo',
    'username = foo"',
    'username = "foo\\"',
    'username = "fo"o"',
    'username = "foo" and email = "x"',
    'username = "foo" or 1=1 --',
    "username = 'foo'",
    '"user"name = "foo"',
    `name = "${'x'.repeat(248)}"`,
    `name = "${'😀'.repeat(248)}"`,
  ]
  for (const text of bad) {
    assert.throws(
      () => parseFilter(text),
      { name: 'InvalidParameterException', message: 'Error while parsing filter' },
      text,
    )
  }
  assert.equal(parseFilter(`name = "${'😀'.repeat(247)}"`)?.value.length, 494)
})

test('attributes that cannot be searched are refused by name', () => {
  for (const name of ['custom:foo', 'Email', 'address', '__proto__', 'constructor', 'toString', 'email_verified']) {
    assert.throws(() => parseFilter(`${name} = "x"`), {
      name: 'InvalidParameterException',
      message: `Invalid search attribute: ${name}`,
    })
  }
  assert.throws(() => parseFilter('"" = "x"'), { message: 'Invalid search attribute: ' })
})

test('username, status and sub respect case, all others do not', () => {
  const respecting = filterAttributes.filter(attribute => filterKey(attribute, 'A') !== filterKey(attribute, 'a'))
  assert.deepEqual(respecting.toSorted(), ['status', 'sub', 'username'])
  assert.equal(filterAttributes.length, 10)
})

test('users match by equality or by prefix', () => {
  const table: [string, string | undefined, boolean][] = [
    ['email = "ann@example.com"', 'Ann@Example.com', true],
    ['email = "ann@example.com"', 'ann@example.co', false],
    ['email ^= "ANN@"', 'ann@example.com', true],
    ['email ^= "nn"', 'ann@example.com', false],
    ['username = "Ann"', 'ann', false],
    ['username ^= "An"', 'Ann', true],
    ['name = "e\u0301"', '\u00c9', true],
    ['name ^= "ΟΔΟΣ"', 'οδοσα', true],
    ['name = "%"', 'anything', false],
    ['name ^= "_"', 'a', false],
    ['name ^= ""', 'a', true],
    ['name ^= ""', undefined, false],
    ['cognito:user_status = "confirmed"', 'CONFIRMED', true],
    ['status = "enabled"', 'Enabled', false],
  ]
  for (const [text, value, expected] of table) {
    const filter = parseFilter(text)
    assert.ok(filter)
    assert.equal(matchesFilter(filter, value), expected, `${text} on ${value}`)
  }
})
