import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { CreateUserPoolCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import {
  countsOf,
  csvOf,
  csvWith,
  describeJob,
  type ImportedRow,
  imported,
  importFile,
  logOf,
  startJob,
  type UploadBody,
} from '../../../test/support/import.ts'
import { attributesOf, createPool, createUser, email, phone, statusOf, verified } from '../../../test/support/pools.ts'

const tooMany = 'Too many users have failed or been skipped during the import.'
const notVerified =
  'The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true).'
const wrongHeader = 'The header of the CSV file does not match the attributes of the user pool.'
const succeeded = 'The import succeeded.'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  /** Imports the rows; the log without line numbers. */
  const importRows = async (poolId: string, rows: readonly ImportedRow[]) => {
    const job = await importFile(app, poolId, await csvOf(app, poolId, rows))
    const lines = await logOf(app, poolId, job.JobId)
    return { job, lines: lines.map(line => line.replace(/^\[(\w+)\] Line Number \d+ - /, '$1 ')) }
  }
  /** What is logged for one row between two good ones, which must come in. */
  const faultOf = async (settings: Partial<CreateUserPoolCommandInput>, row: ImportedRow, good: ImportedRow = {}) => {
    const { poolId } = await createPool(app, settings)
    const rows = [imported('before1', good), row, imported('behind1', good), imported('behind2', good)]
    const { job, lines } = await importRows(poolId, rows)
    assert.deepEqual(countsOf(job), [3, 0, 1], lines.join('\n'))
    assert.equal(job.Status, 'Succeeded')
    return lines[1]
  }

  test('a row becomes a user with all its attributes', async () => {
    const { poolId } = await createPool(app, {
      Schema: [
        { Name: 'tier', AttributeDataType: 'String' },
        { Name: 'vip', AttributeDataType: 'Boolean' },
      ],
    })
    const row = {
      name: 'Ann "Annie" O\'Neil, Dr.',
      given_name: '=cmd()',
      birthdate: '02/29/2000',
      updated_at: '1548272793',
      phone_number: '+15555550100',
      phone_number_verified: 'False',
      address: 'Straße 1\\Hof, 12345 Köln 😀',
      email_verified: 'tRuE',
      'custom:tier': 'gold',
      'custom:vip': 'TRUE',
    }
    const { job } = await importRows(poolId, [imported('ann', row)])
    assert.deepEqual(countsOf(job), [1, 0, 0])
    const { sub, ...attributes } = await attributesOf(app, poolId, 'ann')
    assert.ok(sub)
    assert.deepEqual(attributes, {
      ...row,
      birthdate: '2000-02-29',
      email: 'ann@example.com',
      email_verified: 'true',
      phone_number_verified: 'false',
      'custom:vip': 'true',
    })
    const user = await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann' })
    assert.equal(user.Enabled, true)
    assert.equal(user.UserStatus, 'RESET_REQUIRED')
    assert.deepEqual(user.UserCreateDate, new Date(app.now()))
    const { Users } = await app.aws.listUsers({ UserPoolId: poolId, Filter: 'email = "ann@example.com"' })
    assert.equal(Users?.length, 1)
  })

  describe('the file', () => {
    test('may have its columns in any order, CRLF, blanks around values and blank lines', async () => {
      const { poolId } = await createPool(app)
      const { CSVHeader = [] } = await app.aws.getCSVHeader({ UserPoolId: poolId })
      const header = CSVHeader.toReversed()
      const file = csvWith(header, [imported('ann', { name: '  Ann \t' }), imported('bob')])
        .replaceAll('\n', '\r\n')
        .replace('\r\n', '\r\n\r\n  \r\n')
      const job = await importFile(app, poolId, file.trimEnd())
      assert.deepEqual(countsOf(job), [2, 0, 0])
      assert.equal((await attributesOf(app, poolId, 'ann'))['name'], 'Ann')
      assert.deepEqual(await logOf(app, poolId, job.JobId), [
        `[SUCCEEDED] Line Number 4 - ${succeeded}`,
        `[SUCCEEDED] Line Number 5 - ${succeeded}`,
      ])
    })

    test('needs each column of the pool once, and no other', async () => {
      const { poolId } = await createPool(app)
      const { CSVHeader = [] } = await app.aws.getCSVHeader({ UserPoolId: poolId })
      const row = imported('ann')
      const bad: Record<string, UploadBody> = {
        empty: '',
        'only line breaks': '\n\n',
        'a column short': csvWith(CSVHeader.slice(1), [row]),
        'a column twice': csvWith([...CSVHeader, 'email'], [row]),
        'an unknown column': csvWith([...CSVHeader, 'custom:x'], [row]),
        'sub as a column': csvWith(['sub', ...CSVHeader], [row]),
        'password hashes that nobody announced': csvWith([...CSVHeader, 'password_hash'], [row]),
        'names in upper case': csvWith(CSVHeader, [row]).replace('email,', 'EMAIL,'),
        'no header': csvWith(CSVHeader, [row]).split('\n').slice(1).join('\n'),
        semicolons: csvWith(CSVHeader, [row]).replaceAll(',', ';'),
        quotes: csvWith(
          CSVHeader.map(name => `"${name}"`),
          [row],
        ),
        'a byte order mark': `\ufeff${csvWith(CSVHeader, [row])}`,
        'UTF-16': Buffer.from(csvWith(CSVHeader, [row]), 'utf16le'),
        'a compressed file': Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x0a, 1, 2]),
        'a prototype': csvWith([...CSVHeader, 'proto'], [row]).replace('proto', '__proto__'),
        'a very long line': `${CSVHeader.join(',')}${' '.repeat(16_000)}\n`,
      }
      for (const [what, file] of Object.entries(bad)) {
        const job = await importFile(app, poolId, file)
        assert.equal(job.Status, 'Failed', what)
        assert.equal(job.CompletionMessage, wrongHeader, what)
        assert.deepEqual(countsOf(job), [0, 0, 0], what)
      }
      const short = await importFile(app, poolId, csvWith(CSVHeader.slice(1), [row]))
      assert.deepEqual(await logOf(app, poolId, short.JobId), [
        '[FAILED] Line Number 1 - The header does not have each of these columns once: name',
      ])
      assert.deepEqual(countsOf(await importFile(app, poolId, csvWith(CSVHeader, [row]))), [1, 0, 0])
    })

    test('may have a header only', async () => {
      const { poolId } = await createPool(app)
      const job = await importFile(app, poolId, await csvOf(app, poolId, []))
      assert.equal(job.Status, 'Succeeded')
      assert.deepEqual(countsOf(job), [0, 0, 0])
    })

    test('with lines that are no text or too long loses these lines only', async () => {
      const { poolId } = await createPool(app)
      const file = await csvOf(
        app,
        poolId,
        ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(name => imported(name)),
      )
      const lines = file.split('\n').map(line => Buffer.from(`${line}\n`))
      lines[2] = Buffer.from('a\0b\n')
      lines[3] = Buffer.from([0xff, 0xfe, 0x0a])
      lines[4] = Buffer.from(`${'x'.repeat(16_001)}\n`)
      const job = await importFile(app, poolId, Buffer.concat(lines.slice(0, -1)))
      assert.deepEqual(countsOf(job), [4, 0, 3])
      assert.deepEqual(
        (await logOf(app, poolId, job.JobId)).filter(line => line.startsWith('[FAILED]')),
        [
          '[FAILED] Line Number 3 - The line is not valid UTF-8 text.',
          '[FAILED] Line Number 4 - The line is not valid UTF-8 text.',
          '[FAILED] Line Number 5 - The line has more than 16000 characters.',
        ],
      )
    })

    test('may be blank for long stretches', async () => {
      const { poolId } = await createPool(app)
      const [header, ann, bob] = (await csvOf(app, poolId, [imported('ann'), imported('bob')])).split('\n')
      const blanks = [`${'\n'.repeat(150_000)}`, `${' \r\n'.repeat(100_000)}`]
      const begun = performance.now()
      const job = await importFile(
        app,
        poolId,
        [blanks[0], header, blanks[1], ann, ...blanks, bob, blanks[1]].join('\n'),
      )
      assert.deepEqual(countsOf(job), [2, 0, 0])
      assert.equal(job.Status, 'Succeeded')
      assert.ok(performance.now() - begun < 10_000)
      assert.deepEqual(await logOf(app, poolId, job.JobId), [
        `[SUCCEEDED] Line Number 250004 - ${succeeded}`,
        `[SUCCEEDED] Line Number 500007 - ${succeeded}`,
      ])
    })

    test('fails when more users fail or are skipped than come in', async () => {
      const { poolId } = await createPool(app)
      const bad = imported('bad name')
      const even = await importRows(poolId, [imported('a'), bad])
      assert.equal(even.job.Status, 'Succeeded')
      const more = await importRows(poolId, [imported('b'), bad, imported('a')])
      assert.equal(more.job.Status, 'Failed')
      assert.equal(more.job.CompletionMessage, tooMany)
      assert.deepEqual(countsOf(more.job), [1, 1, 1])
      assert.equal(await statusOf(app, poolId, 'b'), 'RESET_REQUIRED')
    })

    test('has 500,000 users at most', async () => {
      const { poolId } = await createPool(app)
      const rows = ['a', 'b', 'c'].map(name => imported(name))
      const jobId = await startJob(app, poolId, await csvOf(app, poolId, rows))
      await app.database.db.updateTable('user_import_jobs').set({ imported: 499_998 }).where('id', '=', jobId).execute()
      await app.app.tick()
      const job = await describeJob(app, poolId, jobId)
      assert.equal(job.Status, 'Failed')
      assert.equal(job.CompletionMessage, 'The CSV file has more users than a job can import.')
      assert.deepEqual(countsOf(job), [500_000, 0, 0])
      await assert.rejects(statusOf(app, poolId, 'c'), { name: 'UserNotFoundException' })
    })
  })

  describe('a row is refused', () => {
    const optional: Partial<CreateUserPoolCommandInput> = {
      MfaConfiguration: 'OPTIONAL',
      SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::123456789012:role/sns', ExternalId: 'x' },
      AutoVerifiedAttributes: ['email', 'phone_number'],
    }
    const cases: [string, ImportedRow, string, Partial<CreateUserPoolCommandInput>?, ImportedRow?][] = [
      ['without a username', imported('', { email: 'a@example.com' }), 'cognito:username is required.'],
      [
        'with a space in the username',
        imported('a b', { email: 'a@example.com' }),
        'cognito:username must have 1 to 128 characters and no spaces.',
      ],
      [
        'with a tab in the username',
        imported('a\tb', { email: 'a@example.com' }),
        'cognito:username must have 1 to 128 characters and no spaces.',
      ],
      [
        'with a long username',
        imported('a'.repeat(129), { email: 'a@example.com' }),
        'cognito:username must have 1 to 128 characters and no spaces.',
      ],
      [
        'with an address as username in an alias pool',
        imported('a@example.com', { email: 'a@example.com' }),
        'Username cannot be of email format, since user pool is configured for email alias.',
        { AliasAttributes: ['email'] },
      ],
      [
        'without an address as username where users sign in with one',
        imported('ann'),
        'Username should be an email.',
        { UsernameAttributes: ['email'] },
        { 'cognito:username': 'replaced' },
      ],
      [
        'with two addresses',
        imported('a@example.com', { email: 'b@example.com' }),
        'cognito:username and email are not the same.',
        { UsernameAttributes: ['email'] },
        { 'cognito:username': 'replaced' },
      ],
      ['without a verified attribute', imported('ann', { email_verified: 'FALSE' }), notVerified],
      ['with an empty verified attribute', imported('ann', { email_verified: '' }), notVerified],
      ['with a verified attribute without value', imported('ann', { email: '' }), notVerified],
      [
        'with another attribute verified',
        imported('ann', { email_verified: '', phone_number: '+15555550100', phone_number_verified: 'TRUE' }),
        notVerified,
      ],
      [
        'with cognito:mfa_enabled true where MFA is off',
        imported('ann', { 'cognito:mfa_enabled': 'TRUE' }),
        'cognito:mfa_enabled must be false in this user pool.',
      ],
      [
        'without cognito:mfa_enabled',
        imported('ann', { 'cognito:mfa_enabled': '' }),
        'cognito:mfa_enabled must be false in this user pool.',
      ],
      [
        'without cognito:mfa_enabled where MFA is optional',
        imported('ann', { 'cognito:mfa_enabled': '' }),
        'cognito:mfa_enabled must be true or false in this user pool.',
        optional,
      ],
      [
        'with cognito:mfa_enabled false where MFA is on',
        imported('ann', { 'cognito:mfa_enabled': 'FALSE' }),
        'cognito:mfa_enabled must be true in this user pool.',
        { ...optional, MfaConfiguration: 'ON' },
        { 'cognito:mfa_enabled': 'TRUE' },
      ],
      [
        'with a word for a boolean',
        imported('ann', { phone_number_verified: 'yes' }),
        'Attributes did not conform to the schema: phone_number_verified: Attribute value must be true or false.',
      ],
      [
        'with a birthdate of another format',
        imported('ann', { birthdate: '2000-01-31' }),
        'birthdate must have the format mm/dd/yyyy.',
      ],
      [
        'with a birthdate that does not exist',
        imported('ann', { birthdate: '31/01/2000' }),
        'Attributes did not conform to the schema: birthdate: Birthdate is not in the correct format.',
      ],
      [
        'with a date in updated_at',
        imported('ann', { updated_at: '2000-01-31' }),
        'updated_at must be a number of seconds since the Unix epoch.',
      ],
      ['with a bad address', imported('ann', { email: 'ann' }), 'Invalid email address format.'],
      ['with a bad number', imported('ann', { phone_number: '555' }), 'Invalid phone number format.'],
      [
        'without a required attribute',
        imported('ann'),
        'Attributes did not conform to the schema: name: The attribute is required',
        { Schema: [{ Name: 'name', Required: true }] },
        { name: 'x' },
      ],
      [
        'with two faults at once',
        imported('ann', { phone_number_verified: 'yes', 'custom:n': 'x' }),
        'Attributes did not conform to the schema: phone_number_verified: Attribute value must be true or false.; custom:n: Attribute value must be a number.',
        { Schema: [{ Name: 'n', AttributeDataType: 'Number' }] },
      ],
      [
        'with a value that is too long',
        imported('ann', { name: 'x'.repeat(2_049) }),
        'Attributes did not conform to the schema: name: String attributes cannot have a length of more than 2048',
      ],
    ]
    for (const [title, row, fault, settings = {}, good = {}] of cases) {
      test(title, async () => {
        if (good['cognito:username'] === undefined) {
          assert.equal(await faultOf(settings, row, good), `FAILED ${fault}`)
          return
        }
        const { poolId } = await createPool(app, settings)
        const others = ['x', 'y', 'z'].map(name => imported(`${name}@example.com`, { email: `${name}@example.com` }))
        const { job, lines } = await importRows(poolId, [row, ...others])
        assert.deepEqual(countsOf(job), [3, 0, 1])
        assert.equal(lines[0], `FAILED ${fault}`)
      })
    }

    test('with too few or too many values', async () => {
      const { poolId } = await createPool(app)
      const file = await csvOf(app, poolId, [imported('a'), imported('b'), imported('c'), imported('d')])
      const lines = file.trimEnd().split('\n')
      lines[1] = `${lines[1]},`
      lines[2] = 'bob'
      const job = await importFile(app, poolId, lines.join('\n'))
      assert.deepEqual(countsOf(job), [2, 0, 2])
      assert.deepEqual((await logOf(app, poolId, job.JobId)).slice(0, 2), [
        '[FAILED] Line Number 2 - The line has 22 values instead of 21.',
        '[FAILED] Line Number 3 - The line has 1 values instead of 21.',
      ])
    })
  })

  describe('a row is skipped', () => {
    test('when the user exists, who stays as is', async () => {
      const { poolId } = await createPool(app)
      await createUser(app, poolId, 'ann', 'Passw0rd!', [email('real@example.com'), verified('email')])
      const before = await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann' })
      app.advance(1_000)
      const rows = [imported('ann'), imported('bob'), imported('bob', { email: 'evil@example.com' }), imported('eve')]
      const { job, lines } = await importRows(poolId, rows)
      assert.deepEqual(countsOf(job), [2, 2, 0])
      const skipped = 'SKIPPED The user already exists.'
      assert.deepEqual(lines, [skipped, `SUCCEEDED ${succeeded}`, skipped, `SUCCEEDED ${succeeded}`])
      const { $metadata: _, ...after } = await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann' })
      const { $metadata: __, ...same } = before
      assert.deepEqual(after, same)
      assert.equal((await attributesOf(app, poolId, 'bob'))['email'], 'bob@example.com')
    })

    test('when the username differs in case or Unicode form only', async () => {
      const { poolId } = await createPool(app, { UsernameConfiguration: { CaseSensitive: false } })
      const names = ['josé', 'JOSÉ', 'jose\u0301', 'K', '\u212a', 'x', 'y']
      const rows = names.map((name, index) => imported(name, { email: `e${index}@example.com` }))
      const { job } = await importRows(poolId, rows)
      assert.deepEqual(countsOf(job), [4, 3, 0])
    })

    test('when a verified alias is taken, which stays where it is', async () => {
      const { poolId } = await createPool(app, {
        AliasAttributes: ['email', 'phone_number', 'preferred_username'],
        AutoVerifiedAttributes: ['email', 'phone_number'],
      })
      await createUser(app, poolId, 'ann', 'Passw0rd!', [
        email('ann@example.com'),
        verified('email'),
        phone('+15555550100'),
        verified('phone_number'),
        { Name: 'preferred_username', Value: 'annie' },
      ])
      const taken: ImportedRow[] = [
        { email: 'ann@example.com' },
        { phone_number: '+15555550100', phone_number_verified: 'TRUE' },
        { preferred_username: 'annie' },
      ]
      const rows = taken.map((row, index) => imported(`thief${index}`, row))
      const free = [
        imported('free0', { phone_number: '+15555550100' }),
        imported('free1'),
        imported('free2'),
        imported('free3', { email: 'free2@example.com' }),
      ]
      const { job, lines } = await importRows(poolId, [...rows, ...free])
      assert.deepEqual(lines, [
        'SKIPPED An account with the given email already exists.',
        'SKIPPED An account with the given phone_number already exists.',
        'SKIPPED An account with the given preferred_username already exists.',
        `SUCCEEDED ${succeeded}`,
        `SUCCEEDED ${succeeded}`,
        `SUCCEEDED ${succeeded}`,
        'SKIPPED An account with the given email already exists.',
      ])
      assert.deepEqual(countsOf(job), [3, 4, 0])
      for (const name of ['ann@example.com', '+15555550100', 'annie']) {
        assert.equal((await app.aws.adminGetUser({ UserPoolId: poolId, Username: name })).Username, 'ann')
      }
      const { Users } = await app.aws.listUsers({ UserPoolId: poolId })
      assert.deepEqual(Users?.map(user => user.Username).sort(), ['ann', 'free0', 'free1', 'free2'])
    })
  })

  test('users who are made during the import keep their names, and each name has one owner', async () => {
    const { poolId } = await createPool(app, { AliasAttributes: ['email'] })
    const names = Array.from({ length: 160 }, (_, index) => `user${index}`)
    const jobId = await startJob(
      app,
      poolId,
      await csvOf(
        app,
        poolId,
        names.map(name => imported(name)),
      ),
    )
    const work = app.app.tick()
    // Some take the name, some the address of a user in the file.
    const made = await Promise.allSettled(
      names.toReversed().map((name, index) =>
        app.aws.adminCreateUser({
          UserPoolId: poolId,
          Username: index % 2 === 0 ? name : `other-${name}`,
          MessageAction: 'SUPPRESS',
          UserAttributes: [email(`${name}@example.com`), verified('email')],
        }),
      ),
    )
    await work
    const succeededAtOnce = made.filter(result => result.status === 'fulfilled').length
    for (const result of made) {
      if (result.status === 'rejected') assert.match(result.reason.name, /^(UsernameExists|AliasExists)Exception$/)
    }
    const job = await describeJob(app, poolId, jobId)
    assert.deepEqual(countsOf(job), [160 - succeededAtOnce, succeededAtOnce, 0])
    const { UserPool } = await app.aws.describeUserPool({ UserPoolId: poolId })
    assert.equal(UserPool?.EstimatedNumberOfUsers, 160)
    const owners = await Promise.all(
      names.map(name => app.aws.adminGetUser({ UserPoolId: poolId, Username: `${name}@example.com` })),
    )
    assert.equal(new Set(owners.map(owner => owner.Username)).size, 160)
  })

  test('where users sign in with an address, it is the username', async () => {
    const { poolId } = await createPool(app, { UsernameAttributes: ['email', 'phone_number'] })
    const { job, lines } = await importRows(poolId, [
      imported('ann@example.com', { email: '' }),
      imported('bob@example.com', { email: 'bob@example.com' }),
      imported('+15555550100', { email: 'eve@example.com' }),
      imported('+15555550101', { email: 'ann@example.com' }),
    ])
    assert.deepEqual(countsOf(job), [3, 1, 0], lines.join('\n'))
    assert.equal(lines[3], 'SKIPPED The user already exists.')
    const ann = await attributesOf(app, poolId, 'ann@example.com')
    assert.equal(ann['email'], 'ann@example.com')
    assert.equal((await app.aws.adminGetUser({ UserPoolId: poolId, Username: 'ann@example.com' })).Username, ann['sub'])
    assert.equal((await attributesOf(app, poolId, '+15555550100'))['email'], 'eve@example.com')
  })

  test('users who can sign in with a code need no password', async () => {
    const { poolId } = await createPool(app, {
      AutoVerifiedAttributes: ['email', 'phone_number'],
      SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::123456789012:role/sns', ExternalId: 'x' },
      Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] } },
    })
    await importRows(poolId, [
      imported('ann'),
      imported('bob', { email_verified: '', phone_number: '+15555550100', phone_number_verified: 'TRUE' }),
    ])
    assert.equal(await statusOf(app, poolId, 'ann'), 'CONFIRMED')
    assert.equal(await statusOf(app, poolId, 'bob'), 'RESET_REQUIRED')
  })

  test('cognito:mfa_enabled switches text messages on for users with a number', async () => {
    const { poolId } = await createPool(app, {
      MfaConfiguration: 'OPTIONAL',
      SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::123456789012:role/sns', ExternalId: 'x' },
    })
    const number = { phone_number: '+15555550100' }
    const { job } = await importRows(poolId, [
      imported('ann', { 'cognito:mfa_enabled': 'TRUE', ...number }),
      imported('bob', { 'cognito:mfa_enabled': 'true' }),
      imported('eve', { 'cognito:mfa_enabled': 'False', ...number }),
    ])
    assert.deepEqual(countsOf(job), [3, 0, 0])
    const options = async (Username: string) =>
      (await app.aws.adminGetUser({ UserPoolId: poolId, Username })).MFAOptions
    assert.deepEqual(await options('ann'), [{ DeliveryMedium: 'SMS', AttributeName: 'phone_number' }])
    assert.equal(await options('bob'), undefined)
    assert.equal(await options('eve'), undefined)
  })
})
