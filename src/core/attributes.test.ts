import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttributeType, SchemaAttributeType } from '../contract/types.ts'
import {
  type AttributeCheck,
  type AttributePhase,
  addCustomAttributes,
  buildSchema,
  canRead,
  canWrite,
  checkAttributes,
  checkClientAttributes,
  missingAttributes,
  readableAttributes,
  standardAttributes,
  withIdentities,
  writableAttributes,
} from './attributes.ts'

const invalid = (message: string) => ({ name: 'InvalidParameterException', message })
const notWritable = {
  name: 'NotAuthorizedException',
  message: 'A client attempted to write unauthorized attribute',
}

const named = (schema: readonly SchemaAttributeType[], name: string) =>
  schema.find(attribute => attribute.Name === name) ?? assert.fail(`no attribute ${name}`)

// ---------------------------------------------------------------------------------------------- schema

test('a pool has twenty standard attributes in a fixed order', () => {
  const schema = standardAttributes()
  assert.deepEqual(
    schema.map(attribute => attribute.Name),
    [
      'sub',
      'name',
      'given_name',
      'family_name',
      'middle_name',
      'nickname',
      'preferred_username',
      'profile',
      'picture',
      'website',
      'email',
      'email_verified',
      'gender',
      'birthdate',
      'zoneinfo',
      'locale',
      'phone_number',
      'phone_number_verified',
      'address',
      'updated_at',
    ],
  )
  const common = { DeveloperOnlyAttribute: false, Mutable: true, Required: false }
  assert.deepEqual(named(schema, 'sub'), {
    ...common,
    Name: 'sub',
    AttributeDataType: 'String',
    Mutable: false,
    Required: true,
    StringAttributeConstraints: { MinLength: '1', MaxLength: '2048' },
  })
  assert.deepEqual(named(schema, 'birthdate'), {
    ...common,
    Name: 'birthdate',
    AttributeDataType: 'String',
    StringAttributeConstraints: { MinLength: '10', MaxLength: '10' },
  })
  assert.deepEqual(named(schema, 'email_verified'), {
    ...common,
    Name: 'email_verified',
    AttributeDataType: 'Boolean',
  })
  assert.deepEqual(named(schema, 'updated_at'), {
    ...common,
    Name: 'updated_at',
    AttributeDataType: 'Number',
    NumberAttributeConstraints: { MinValue: '0' },
  })
  const plain = schema.filter(({ Name = '' }) => !['sub', 'birthdate', 'updated_at'].includes(Name))
  for (const attribute of plain.filter(({ AttributeDataType }) => AttributeDataType === 'String')) {
    assert.deepEqual(attribute, {
      ...common,
      Name: attribute.Name,
      AttributeDataType: 'String',
      StringAttributeConstraints: { MinLength: '0', MaxLength: '2048' },
    })
  }
})

test('a schema without requests is the standard one, and never the same object', () => {
  assert.deepEqual(buildSchema(undefined), standardAttributes())
  assert.deepEqual(buildSchema([]), standardAttributes())
  assert.notEqual(standardAttributes()[0], standardAttributes()[0])
})

test('a request changes a standard attribute in place', () => {
  const schema = buildSchema([
    { Name: 'email', AttributeDataType: 'String', Required: true, Mutable: false },
    { Name: 'name', Required: true, StringAttributeConstraints: { MinLength: '2', MaxLength: '30' } },
    { Name: 'nickname', AttributeDataType: 'String', StringAttributeConstraints: {} },
    { Name: 'updated_at', AttributeDataType: 'Number', NumberAttributeConstraints: { MinValue: '5' } },
  ])
  assert.equal(schema.length, 20)
  assert.equal(schema[10], named(schema, 'email'))
  assert.deepEqual(named(schema, 'email'), {
    ...named(standardAttributes(), 'email'),
    Required: true,
    Mutable: false,
  })
  assert.deepEqual(named(schema, 'name').StringAttributeConstraints, { MinLength: '2', MaxLength: '30' })
  assert.equal(named(schema, 'name').Mutable, true)
  assert.deepEqual(named(schema, 'nickname'), named(standardAttributes(), 'nickname'))
  assert.deepEqual(named(schema, 'updated_at').NumberAttributeConstraints, { MinValue: '5' })
})

test('what the service itself sets stays as it is', () => {
  const schema = buildSchema([
    { Name: 'sub', AttributeDataType: 'String', Required: false, Mutable: true },
    { Name: 'identities', AttributeDataType: 'String', Required: true, StringAttributeConstraints: { MaxLength: '5' } },
  ])
  assert.deepEqual(schema, withIdentities(standardAttributes()))
  assert.equal(schema[20]?.Name, 'identities')
  assert.deepEqual(schema[20]?.StringAttributeConstraints, {})
})

test('identities stands between standard and custom attributes, once', () => {
  const schema = withIdentities(withIdentities(buildSchema([{ Name: 'x', AttributeDataType: 'String' }])))
  assert.deepEqual(
    schema.slice(19).map(attribute => attribute.Name),
    ['updated_at', 'identities', 'custom:x'],
  )
})

test('other names become custom attributes behind a prefix, whatever they look like', () => {
  const table: [SchemaAttributeType, SchemaAttributeType][] = [
    [
      { Name: 'tenant', AttributeDataType: 'String' },
      {
        Name: 'custom:tenant',
        AttributeDataType: 'String',
        DeveloperOnlyAttribute: false,
        Mutable: true,
        Required: false,
        StringAttributeConstraints: {},
      },
    ],
    [
      {
        Name: 'age',
        AttributeDataType: 'Number',
        Mutable: false,
        NumberAttributeConstraints: { MaxValue: '150' },
        StringAttributeConstraints: { MaxLength: '3' },
      },
      {
        Name: 'custom:age',
        AttributeDataType: 'Number',
        DeveloperOnlyAttribute: false,
        Mutable: false,
        Required: false,
        NumberAttributeConstraints: { MaxValue: '150' },
      },
    ],
    [
      { Name: 'hidden', AttributeDataType: 'Boolean', DeveloperOnlyAttribute: true },
      {
        Name: 'dev:custom:hidden',
        AttributeDataType: 'Boolean',
        DeveloperOnlyAttribute: true,
        Mutable: true,
        Required: false,
      },
    ],
  ]
  for (const [requested, expected] of table) assert.deepEqual(buildSchema([requested]).slice(20), [expected])
  for (const name of ['cognito:groups', 'custom:x', 'dev:custom:x', '__proto__', 'Email', 'email_verified']) {
    const [added] = buildSchema([{ Name: name, AttributeDataType: 'DateTime' }]).slice(20)
    assert.equal(added?.Name, `custom:${name}`)
  }
})

test('schemas that cannot be are refused', () => {
  const string = (name: string, StringAttributeConstraints: SchemaAttributeType['StringAttributeConstraints']) => [
    { Name: name, AttributeDataType: 'String' as const, StringAttributeConstraints },
  ]
  const number = (NumberAttributeConstraints: SchemaAttributeType['NumberAttributeConstraints']) => [
    { Name: 'n', AttributeDataType: 'Number' as const, NumberAttributeConstraints },
  ]
  const fixed = 'You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute email'
  const table: [SchemaAttributeType[], string][] = [
    [[{ Name: 'email', AttributeDataType: 'Number' }], fixed],
    [[{ Name: 'email', DeveloperOnlyAttribute: true }], fixed],
    [[{ Name: 'x' }], 'Invalid AttributeDataType input, consider using the provided AttributeDataType enum.'],
    [
      [{ Name: 'x', AttributeDataType: 'String', Required: true }],
      'Required custom attributes are not supported currently.',
    ],
    [[{ AttributeDataType: 'String' }], 'Name is required for each schema attribute.'],
    [string('x', { MaxLength: '2049' }), 'user.custom:x: String attributes cannot have a length of more than 2048'],
    [string('email', { MinLength: '2049' }), 'user.email: String attributes cannot have a length of more than 2048'],
    [string('sub', { MaxLength: '9999' }), 'user.sub: String attributes cannot have a length of more than 2048'],
    [
      string('email', { MinLength: '9', MaxLength: '10' }).concat(string('email', {})),
      'email: Existing attribute already has name email.',
    ],
    [string('x', { MinLength: '10', MaxLength: '9' }), 'user.custom:x: Max length cannot be less than min length.'],
    [string('x', { MinLength: '-1' }), 'Invalid StringAttributeConstraints for schema attribute custom:x'],
    [string('x', { MaxLength: '1.5' }), 'Invalid StringAttributeConstraints for schema attribute custom:x'],
    [
      string('x', { MaxLength: '9'.repeat(100_000) }),
      'Invalid StringAttributeConstraints for schema attribute custom:x',
    ],
    [number({ MinValue: '10', MaxValue: '9' }), 'user.custom:n: Max value cannot be less than min value.'],
    [number({ MinValue: '-1', MaxValue: '-1.5' }), 'user.custom:n: Max value cannot be less than min value.'],
    [number({ MinValue: 'a' }), 'Invalid NumberAttributeConstraints for schema attribute custom:n'],
    [number({ MaxValue: '1e3' }), 'Invalid NumberAttributeConstraints for schema attribute custom:n'],
    [
      [
        { Name: 'x', AttributeDataType: 'String' },
        { Name: 'x', AttributeDataType: 'Number' },
      ],
      'custom:x: Existing attribute already has name custom:x.',
    ],
    [
      Array.from({ length: 51 }, (_, index) => ({ Name: `a${index}`, AttributeDataType: 'String' as const })),
      'A user pool can have at most 50 custom attributes.',
    ],
  ]
  for (const [requested, message] of table) assert.throws(() => buildSchema(requested), invalid(message), message)
})

test('custom attributes are added at the end, all or none, up to fifty', () => {
  const schema = buildSchema([{ Name: 'x', AttributeDataType: 'String' }])
  const added = addCustomAttributes(schema, [
    { Name: 'x', AttributeDataType: 'String', DeveloperOnlyAttribute: true },
    { Name: 'email', AttributeDataType: 'Number' },
  ])
  assert.deepEqual(
    added.slice(20).map(attribute => attribute.Name),
    ['custom:x', 'dev:custom:x', 'custom:email'],
  )
  assert.equal(schema.length, 21)
  assert.throws(
    () => addCustomAttributes(added, [{ Name: 'x', AttributeDataType: 'String', DeveloperOnlyAttribute: true }]),
    invalid('custom:x: Existing attribute already has name dev:custom:x.'),
  )
  const many = Array.from({ length: 47 }, (_, index) => ({ Name: `a${index}`, AttributeDataType: 'String' as const }))
  const full = addCustomAttributes(added, many)
  assert.equal(full.length, 70)
  assert.throws(() => addCustomAttributes(full, [{ Name: 'one_more', AttributeDataType: 'String' }]), {
    name: 'InvalidParameterException',
  })
})

// ---------------------------------------------------------------------------------------------- clients

const schema = buildSchema([
  { Name: 'email', Required: true },
  { Name: 'name', StringAttributeConstraints: { MinLength: '2', MaxLength: '5' } },
  { Name: 'locale', Required: true, Mutable: false },
  { Name: 'tenant', AttributeDataType: 'String', Mutable: false },
  { Name: 'hidden', AttributeDataType: 'String', DeveloperOnlyAttribute: true },
  { Name: 'age', AttributeDataType: 'Number', NumberAttributeConstraints: { MinValue: '18', MaxValue: '120.5' } },
  { Name: 'member', AttributeDataType: 'Boolean' },
  { Name: 'since', AttributeDataType: 'DateTime' },
])

test('a client without lists reads everything but what is for developers, and writes what is for users', () => {
  const everything = schema.map(attribute => attribute.Name)
  assert.deepEqual(
    [...readableAttributes({}, schema)],
    everything.filter(name => name !== 'dev:custom:hidden'),
  )
  const forNobody = ['sub', 'email_verified', 'phone_number_verified', 'dev:custom:hidden']
  assert.deepEqual(
    [...writableAttributes({}, schema)],
    everything.filter(name => !forNobody.includes(name ?? '')),
  )
  assert.equal(canRead({}, withIdentities(schema), 'identities'), true)
  assert.equal(canWrite({}, withIdentities(schema), 'identities'), false)
})

test('lists narrow a client down', () => {
  const client = {
    ReadAttributes: ['email', 'custom:age', 'dev:custom:hidden', 'gone'],
    WriteAttributes: ['email', 'email_verified', 'dev:custom:hidden', 'sub', 'custom:member'],
  }
  assert.deepEqual([...readableAttributes(client, schema)], ['sub', 'email', 'custom:age'])
  assert.deepEqual([...writableAttributes(client, schema)], ['email', 'custom:member'])
  assert.deepEqual([...readableAttributes({ ReadAttributes: [] }, schema)], ['sub'])
  assert.deepEqual([...writableAttributes({ WriteAttributes: [] }, schema)], [])
  assert.equal(canRead(client, schema, 'name'), false)
  assert.equal(canWrite(client, schema, 'email'), true)
})

test('the lists of a client name only what it can read and write', () => {
  assert.doesNotThrow(() => checkClientAttributes({}, schema, 'creating'))
  assert.doesNotThrow(() =>
    checkClientAttributes(
      {
        ReadAttributes: ['sub', 'email', 'email_verified', 'identities', 'custom:tenant'],
        WriteAttributes: ['email', 'locale', 'updated_at', 'custom:tenant'],
      },
      schema,
      'creating',
    ),
  )
  for (const name of ['gone', 'dev:custom:hidden', 'custom:email', '__proto__']) {
    assert.throws(
      () => checkClientAttributes({ ReadAttributes: ['email', name] }, schema, 'creating'),
      invalid('Invalid read attributes specified while creating a client'),
    )
  }
  const unwritable = ['gone', 'sub', 'identities', 'email_verified', 'phone_number_verified', 'dev:custom:hidden']
  for (const name of unwritable) {
    assert.throws(
      () => checkClientAttributes({ WriteAttributes: ['email', 'locale', name] }, schema, 'updating'),
      invalid('Invalid write attributes specified while updating a client'),
      name,
    )
  }
})

test('a client may leave out a required attribute, but nobody signs up through it', () => {
  const client = { WriteAttributes: ['email'] }
  assert.doesNotThrow(() => checkClientAttributes(client, schema, 'creating'))
  const check: AttributeCheck = { schema, phase: 'sign-up', writable: writableAttributes(client, schema) }
  assert.throws(() => checkAttributes(check, attributes(required)), notWritable)
  assert.throws(
    () => checkAttributes(check, attributes({ email: 'ann@example.com' })),
    invalid('Attributes did not conform to the schema: locale: The attribute is required\n'),
  )
})

// ---------------------------------------------------------------------------------------------- writes

const attributes = (values: Record<string, string | undefined>): AttributeType[] =>
  Object.entries(values).map(([Name, Value]) => ({ Name, ...(Value !== undefined && { Value }) }))

const required = { email: 'ann@example.com', locale: 'en' }

const write = (
  phase: AttributePhase,
  values: Record<string, string | undefined>,
  rest: Partial<AttributeCheck> = {},
) => {
  const { values: set, removed } = checkAttributes({ schema, phase, ...rest }, attributes(values))
  return { set: Object.fromEntries(set), removed: [...removed] }
}

test('good attributes come back, booleans in lower case', () => {
  const table: [AttributePhase, Record<string, string>, Record<string, string>][] = [
    ['sign-up', required, required],
    [
      'sign-up',
      { ...required, 'custom:member': 'TRUE', 'custom:tenant': 't', 'custom:age': '18', birthdate: '2000-02-29' },
      { ...required, 'custom:member': 'true', 'custom:tenant': 't', 'custom:age': '18', birthdate: '2000-02-29' },
    ],
    ['admin-create', { locale: 'en' }, { locale: 'en' }],
    [
      'admin-create',
      { ...required, email_verified: 'True', 'dev:custom:hidden': 'x' },
      { ...required, email_verified: 'true', 'dev:custom:hidden': 'x' },
    ],
    ['update', { name: 'Ann', phone_number: '+12065550100' }, { name: 'Ann', phone_number: '+12065550100' }],
    [
      'admin-update',
      { email: 'b@example.com', email_verified: 'false' },
      { email: 'b@example.com', email_verified: 'false' },
    ],
  ]
  for (const [phase, values, expected] of table) assert.deepEqual(write(phase, values), { set: expected, removed: [] })
})

test('an attribute that is named twice has its last value, and that one is checked', () => {
  const twice = (one: string, other: string) => [
    { Name: 'email', Value: one },
    { Name: 'email', Value: other },
  ]
  const check: AttributeCheck = { schema, phase: 'update' }
  assert.deepEqual(
    [...checkAttributes(check, twice('bad', 'good@example.com')).values],
    [['email', 'good@example.com']],
  )
  assert.throws(
    () => checkAttributes(check, twice('good@example.com', 'bad')),
    invalid('Invalid email address format.'),
  )
})

test('unknown attributes are all named', () => {
  const values = { ...required, gone: '1', 'custom:gone': '2' }
  assert.throws(
    () => write('sign-up', values),
    invalid(
      'Attributes did not conform to the schema: gone: Attribute does not exist in the schema.\ncustom:gone: Attribute does not exist in the schema.\n',
    ),
  )
  for (const phase of ['update', 'admin-update'] as const) {
    assert.throws(() => write(phase, { gone: '' }), invalid('user.gone: Attribute does not exist in the schema.\n'))
  }
  for (const name of ['__proto__', 'constructor', 'toString', 'cognito:groups', 'Email']) {
    assert.throws(
      () => checkAttributes({ schema, phase: 'update' }, [{ Name: name, Value: 'x' }]),
      invalid(`user.${name}: Attribute does not exist in the schema.\n`),
    )
  }
})

test('users cannot write what the service keeps, nor what their client may not', () => {
  for (const phase of ['sign-up', 'update'] as const) {
    for (const name of ['sub', 'identities', 'email_verified', 'phone_number_verified', 'dev:custom:hidden']) {
      const check: AttributeCheck = {
        schema: withIdentities(schema),
        phase,
        writable: new Set([name, 'email', 'locale']),
      }
      assert.throws(() => checkAttributes(check, attributes({ ...required, [name]: 'true' })), notWritable, name)
      assert.throws(() => checkAttributes(check, attributes({ ...required, [name]: '' })), notWritable, name)
    }
    assert.throws(
      () => write(phase, { ...required, name: 'Ann' }, { writable: new Set(['email', 'locale']) }),
      notWritable,
    )
  }
  assert.deepEqual(write('update', { name: 'Ann' }, { writable: new Set(['name']) }).set, { name: 'Ann' })
})

test('administrators cannot write what the service keeps either', () => {
  assert.throws(
    () => write('admin-create', { ...required, sub: 'x' }),
    invalid('Attributes did not conform to the schema: sub: Attribute cannot be updated.\n'),
  )
  assert.throws(() => write('admin-update', { sub: 'x' }), invalid('user.sub: Attribute cannot be updated.\n'))
  assert.throws(
    () => write('admin-update', { identities: '[]' }, { schema: withIdentities(schema) }),
    invalid('user.identities: Attribute cannot be updated.\n'),
  )
})

test('a sign-up lists every required attribute that is missing', () => {
  const missing =
    'Attributes did not conform to the schema: email: The attribute is required\nlocale: The attribute is required\n'
  assert.throws(() => write('sign-up', {}), invalid(missing))
  assert.throws(() => write('sign-up', { email: '', locale: undefined }), invalid(missing))
  assert.deepEqual(missingAttributes(schema, new Set(['email'])), ['locale'])
})

test('an administrator may leave out required attributes that the user can still set', () => {
  const missing = (names: string[]) =>
    invalid(
      `Attributes did not conform to the schema: ${names.map(name => `${name}: The attribute is required\n`).join('')}`,
    )
  assert.throws(() => write('admin-create', {}), missing(['locale']))
  assert.deepEqual(write('admin-create', { locale: 'en' }).set, { locale: 'en' })
  assert.throws(() => write('admin-create', { locale: 'en' }, { passwordless: true }), missing(['email']))
  assert.deepEqual(write('update', {}), { set: {}, removed: [] })
})

test('an immutable attribute is set when the user is created and never later', () => {
  assert.equal(write('sign-up', { ...required, 'custom:tenant': 't' }).set['custom:tenant'], 't')
  for (const phase of ['update', 'admin-update'] as const) {
    for (const value of ['t', '']) {
      assert.throws(
        () => write(phase, { 'custom:tenant': value }),
        invalid('user.custom:tenant: Attribute cannot be updated.\n'),
      )
    }
  }
})

test('an empty value means nothing for a new user and removal for an existing one', () => {
  assert.deepEqual(write('sign-up', { ...required, name: '', 'custom:age': '' }), { set: required, removed: [] })
  assert.deepEqual(write('update', { name: '', 'custom:age': undefined }), { set: {}, removed: ['name', 'custom:age'] })
  for (const phase of ['update', 'admin-update'] as const) {
    assert.throws(() => write(phase, { email: '' }), invalid('user.email: The attribute is required\n'))
  }
})

test('a removed phone number takes its verified flag along', () => {
  assert.deepEqual(write('update', { phone_number: '' }).removed, ['phone_number', 'phone_number_verified'])
  assert.deepEqual(write('admin-update', { phone_number: '', phone_number_verified: 'false' }), {
    set: { phone_number_verified: 'false' },
    removed: ['phone_number'],
  })
})

test('nothing is verified that is not there', () => {
  const current = new Map([['phone_number', '+12065550100']])
  assert.deepEqual(write('admin-update', { phone_number_verified: 'true' }, { current }).set, {
    phone_number_verified: 'true',
  })
  assert.throws(() => write('admin-update', { phone_number: '', phone_number_verified: 'true' }, { current }), {
    name: 'InvalidParameterException',
  })
  assert.throws(() => write('admin-update', { email_verified: 'true' }, { current }), {
    name: 'InvalidParameterException',
  })
  assert.throws(() => write('admin-create', { locale: 'en', email_verified: 'true' }), {
    name: 'InvalidParameterException',
  })
  assert.equal(write('admin-create', { locale: 'en', email_verified: 'false' }).set['email_verified'], 'false')
})

test('addresses and numbers must be well formed', () => {
  for (const phase of ['sign-up', 'admin-create', 'update', 'admin-update'] as const) {
    const base = phase === 'sign-up' || phase === 'admin-create' ? required : {}
    for (const email of ['ann', 'ann@', 'a b@c', 'ann@example.com\r\nBcc: x@y', 'a@x,b@y']) {
      assert.throws(() => write(phase, { ...base, email }), invalid('Invalid email address format.'), email)
    }
    for (const phone_number of ['12065550100', '+1 206 555', '+0123', 'x']) {
      assert.throws(
        () => write(phase, { ...base, phone_number }),
        invalid('Invalid phone number format.'),
        phone_number,
      )
    }
  }
})

test('values keep to their type and constraints', () => {
  const good: Record<string, string[]> = {
    name: ['An', 'Annie', '😀😀😀😀😀'],
    birthdate: ['1999-12-31', '2000-02-29', '2024-02-29', '0000-01-01'],
    'custom:age': ['18', '18.0', '120.5', '0120.50'],
    'custom:member': ['true', 'FALSE', 'True'],
    'custom:since': [
      '2024-01-31',
      '2024-01-31T10:20',
      '2024-01-31T10:20:30Z',
      '2024-01-31T10:20:30.123456789+02:00',
      '2016-12-31T23:59:60Z',
    ],
    updated_at: ['0', '1700000000', '1700000000.5'],
    address: ['x'.repeat(2048), '{"formatted":"1 Main St"}', '😀'.repeat(2048)],
    'custom:tenant': ['x'],
  }
  for (const [name, values] of Object.entries(good)) {
    for (const value of values) {
      assert.ok(write('sign-up', { ...required, [name]: value }).set[name], `${name}=${value.slice(0, 40)}`)
    }
  }
  const bad: [string, string, string][] = [
    ['name', 'A', 'Attribute value must not be shorter than 2 characters.'],
    ['name', '😀', 'Attribute value must not be shorter than 2 characters.'],
    ['name', 'Ann-Mary', 'Attribute value must not be longer than 5 characters.'],
    ['birthdate', '12/31/1999', 'Birthdate is not in the correct format.'],
    ['birthdate', '1999-13-01', 'Birthdate is not in the correct format.'],
    ['birthdate', '1999-00-01', 'Birthdate is not in the correct format.'],
    ['birthdate', '2023-02-29', 'Birthdate is not in the correct format.'],
    ['birthdate', '1900-02-29', 'Birthdate is not in the correct format.'],
    ['birthdate', '1999-1-1', 'Birthdate is not in the correct format.'],
    ['birthdate', '1999-12-31\n', 'Birthdate is not in the correct format.'],
    ['custom:age', '17.9999999999999999999999', 'Attribute value must not be less than 18.'],
    ['custom:age', '-18', 'Attribute value must not be less than 18.'],
    ['custom:age', '120.50000000000000000000001', 'Attribute value must not be greater than 120.5.'],
    ['custom:age', '1e2', 'Attribute value must be a number.'],
    ['custom:age', 'NaN', 'Attribute value must be a number.'],
    ['custom:age', '0x20', 'Attribute value must be a number.'],
    ['custom:age', '20 ', 'Attribute value must be a number.'],
    ['updated_at', '-1', 'Attribute value must not be less than 0.'],
    ['custom:member', 'yes', 'Attribute value must be true or false.'],
    ['custom:member', '1', 'Attribute value must be true or false.'],
    ['custom:since', 'yesterday', 'Attribute value must be a date and time in ISO 8601 format.'],
    ['custom:since', '2024-01-31T24:00', 'Attribute value must be a date and time in ISO 8601 format.'],
    ['custom:since', '2024-01-31 10:20', 'Attribute value must be a date and time in ISO 8601 format.'],
    ['custom:since', '2024-02-30T10:20', 'Attribute value must be a date and time in ISO 8601 format.'],
    ['custom:since', '2024-01-31T', 'Attribute value must be a date and time in ISO 8601 format.'],
    ['address', 'x'.repeat(2049), 'String attributes cannot have a length of more than 2048'],
    ['custom:age', '1'.repeat(131_072), 'String attributes cannot have a length of more than 2048'],
  ]
  for (const [name, value, fault] of bad) {
    assert.throws(
      () => write('sign-up', { ...required, [name]: value }),
      invalid(`Attributes did not conform to the schema: ${name}: ${fault}\n`),
      `${name}=${value.slice(0, 40)}`,
    )
    assert.throws(() => write('update', { [name]: value }), invalid(`user.${name}: ${fault}\n`))
  }
})

test('all that is wrong is told at once', () => {
  assert.throws(
    () => write('sign-up', { email: 'ann@example.com', name: 'A', 'custom:age': 'x' }),
    invalid(
      'Attributes did not conform to the schema: name: Attribute value must not be shorter than 2 characters.\ncustom:age: Attribute value must be a number.\nlocale: The attribute is required\n',
    ),
  )
})
