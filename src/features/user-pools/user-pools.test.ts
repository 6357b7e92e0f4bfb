import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { CreateUserPoolCommandInput, UserPoolType } from '@aws-sdk/client-cognito-identity-provider'
import { hours, minutes, onEachDatabase, openTestApp, seconds, type TestApp } from '../../../test/support/app.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const create = async (members: Omit<CreateUserPoolCommandInput, 'PoolName'> = {}): Promise<UserPoolType> => {
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'people', ...members })
    assert.ok(UserPool)
    return UserPool
  }
  const createId = async (members: Omit<CreateUserPoolCommandInput, 'PoolName'> = {}): Promise<string> =>
    (await create(members)).Id ?? ''
  const describePool = async (id: string): Promise<UserPoolType> => {
    const { UserPool } = await app.aws.describeUserPool({ UserPoolId: id })
    assert.ok(UserPool)
    return UserPool
  }
  const unknownPool = (id: string) => ({
    name: 'ResourceNotFoundException',
    message: `User pool ${id} does not exist.`,
  })

  const userRow = (poolId: string, name: string) => ({
    id: `${poolId}-${name}`,
    pool_id: poolId,
    username: name,
    username_search: name,
    status: 'CONFIRMED',
    enabled: 1,
    created_at: app.now(),
    updated_at: app.now(),
  })
  /** Puts users into a pool without the work that each would cost through the API. */
  const seedUsers = async (poolId: string, count: number): Promise<void> => {
    const names = Array.from({ length: count }, (_, index) => String(index).padStart(6, '0'))
    for (let start = 0; start < count; start += 1_000) {
      const rows = names.slice(start, start + 1_000).map(name => userRow(poolId, name))
      await app.database.db.insertInto('users').values(rows).execute()
    }
  }

  describe('CreateUserPool and DescribeUserPool', () => {
    test('a pool with nothing but a name shows the documented defaults and no more', async () => {
      const pool = await create()
      assert.match(pool.Id ?? '', /^us-east-1_[0-9A-Za-z]{9}$/)
      const { Id, SchemaAttributes, CreationDate, LastModifiedDate, ...rest } = pool
      assert.deepEqual(CreationDate, new Date(app.now()))
      assert.deepEqual(LastModifiedDate, CreationDate)
      assert.equal(SchemaAttributes?.length, 20)
      assert.deepEqual(rest, {
        Name: 'people',
        Arn: `arn:aws:cognito-idp:us-east-1:123456789012:userpool/${Id}`,
        Policies: {
          PasswordPolicy: {
            MinimumLength: 8,
            RequireUppercase: true,
            RequireLowercase: true,
            RequireNumbers: true,
            RequireSymbols: true,
            TemporaryPasswordValidityDays: 7,
          },
          SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD'] },
        },
        DeletionProtection: 'INACTIVE',
        LambdaConfig: {},
        VerificationMessageTemplate: { DefaultEmailOption: 'CONFIRM_WITH_CODE' },
        MfaConfiguration: 'OFF',
        EstimatedNumberOfUsers: 0,
        EmailConfiguration: { EmailSendingAccount: 'COGNITO_DEFAULT' },
        UserPoolTags: {},
        AdminCreateUserConfig: { AllowAdminCreateUserOnly: false, UnusedAccountValidityDays: 7 },
        AccountRecoverySetting: {
          RecoveryMechanisms: [
            { Priority: 1, Name: 'verified_email' },
            { Priority: 2, Name: 'verified_phone_number' },
          ],
        },
        UserPoolTier: 'ESSENTIALS',
        AcrConfiguration: {
          Level1: { AcrValue: 'urn:cognito:loa:1' },
          Level2: { AcrValue: 'urn:cognito:loa:2' },
          Level3: { AcrValue: 'urn:cognito:loa:3' },
          Level4: { AcrValue: 'urn:cognito:loa:4' },
        },
      })
      assert.deepEqual(await describePool(Id ?? ''), pool)
    })

    test('the name must be there', async () => {
      await assert.rejects(app.aws.createUserPool({ PoolName: undefined }), { name: 'InvalidParameterException' })
    })

    test('two pools may have the same name and have different ids and keys', async () => {
      const [one, other] = [await create(), await create()]
      assert.notEqual(one.Id, other.Id)
      const keys = await app.database.db
        .selectFrom('signing_keys')
        .select(['kid', 'token_use'])
        .where('pool_id', 'in', [one.Id ?? '', other.Id ?? ''])
        .execute()
      assert.equal(new Set(keys.map(key => key.kid)).size, 4)
    })

    test('a pool that does not exist, or exists in another region, is not found', async () => {
      const id = await createId()
      await assert.rejects(
        app.aws.describeUserPool({ UserPoolId: 'us-east-1_AAAAAAAAA' }),
        unknownPool('us-east-1_AAAAAAAAA'),
      )
      const elsewhere = app.client({ region: 'eu-west-1' })
      for (const call of [
        () => elsewhere.describeUserPool({ UserPoolId: id }),
        () => elsewhere.updateUserPool({ UserPoolId: id }),
        () => elsewhere.deleteUserPool({ UserPoolId: id }),
        () => elsewhere.getUserPoolMfaConfig({ UserPoolId: id }),
        () => elsewhere.setUserPoolMfaConfig({ UserPoolId: id, MfaConfiguration: 'OFF' }),
        () => elsewhere.getSigningCertificate({ UserPoolId: id }),
        () =>
          elsewhere.addCustomAttributes({
            UserPoolId: id,
            CustomAttributes: [{ Name: 'x', AttributeDataType: 'String' }],
          }),
      ]) {
        await assert.rejects(call(), unknownPool(id))
      }
      assert.equal((await describePool(id)).SchemaAttributes?.length, 20)
    })

    test('the id, the ARN and the list follow the region of the request', async () => {
      const elsewhere = app.client({ region: 'ap-southeast-2' })
      const { UserPool } = await elsewhere.createUserPool({ PoolName: 'elsewhere' })
      assert.match(UserPool?.Id ?? '', /^ap-southeast-2_/)
      assert.equal(UserPool?.Arn, `arn:aws:cognito-idp:ap-southeast-2:123456789012:userpool/${UserPool?.Id}`)
      const { UserPools } = await elsewhere.listUserPools({ MaxResults: 60 })
      assert.deepEqual(
        UserPools?.map(pool => pool.Id),
        [UserPool?.Id],
      )
    })

    test('everything that is set is shown again', async () => {
      const members = {
        Policies: {
          PasswordPolicy: {
            MinimumLength: 12,
            RequireUppercase: false,
            RequireLowercase: true,
            RequireNumbers: false,
            RequireSymbols: true,
            PasswordHistorySize: 5,
            TemporaryPasswordValidityDays: 3,
          },
          SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP', 'WEB_AUTHN'] },
        },
        DeletionProtection: 'ACTIVE',
        AutoVerifiedAttributes: ['email', 'phone_number'],
        AliasAttributes: ['email', 'preferred_username'],
        SmsAuthenticationMessage: 'Code {####}',
        MfaConfiguration: 'OPTIONAL',
        UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] },
        DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: true },
        EmailConfiguration: {
          EmailSendingAccount: 'DEVELOPER',
          SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/example.com',
          From: 'People <people@example.com>',
          ReplyToEmailAddress: 'reply@example.com',
          ConfigurationSet: 'set_1',
        },
        SmsConfiguration: {
          SnsCallerArn: 'arn:aws:iam::123456789012:role/sms',
          ExternalId: 'external',
          SnsRegion: 'us-east-1',
        },
        UserPoolTags: { team: 'identity' },
        UsernameConfiguration: { CaseSensitive: false },
        AccountRecoverySetting: { RecoveryMechanisms: [{ Priority: 1, Name: 'admin_only' }] },
        UserPoolTier: 'PLUS',
        UserPoolAddOns: {
          AdvancedSecurityMode: 'ENFORCED',
          AdvancedSecurityAdditionalFlows: { CustomAuthMode: 'AUDIT' },
        },
        DcrConfiguration: {
          EnableStatus: 'Disabled',
          OpenDcrEnabled: true,
          AuthenticatedGrantTypes: ['code'],
          OpenDcrGrantTypes: [],
          AllowedScopes: ['aws.cognito.signin.user.admin'],
        },
        KeyConfiguration: {
          KeyType: 'CUSTOMER_MANAGED_KEY',
          KmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd',
        },
        IssuerConfiguration: { Type: 'UPDATED' },
        AcrConfiguration: { Level2: { AcrValue: 'https://example.com/acr/two' } },
      } satisfies Omit<CreateUserPoolCommandInput, 'PoolName'>
      const pool = await describePool(await createId(members))
      const { AcrConfiguration, ...same } = members
      for (const [name, value] of Object.entries(same)) {
        assert.deepEqual(pool[name as keyof UserPoolType], value, name)
      }
      assert.deepEqual(pool.AcrConfiguration?.['Level2'], AcrConfiguration.Level2)
      assert.deepEqual(pool.AcrConfiguration?.['Level4'], { AcrValue: 'urn:cognito:loa:4' })
      assert.deepEqual(pool.AdminCreateUserConfig, { AllowAdminCreateUserOnly: false, UnusedAccountValidityDays: 3 })
    })

    test('lists lose their repetitions, and empty ones are not shown', async () => {
      const pool = await create({
        UsernameAttributes: [],
        AliasAttributes: ['email', 'email'],
        AutoVerifiedAttributes: [],
      })
      assert.deepEqual(pool.AliasAttributes, ['email'])
      assert.equal(pool.UsernameAttributes, undefined)
      assert.equal(pool.AutoVerifiedAttributes, undefined)
    })

    test('alias attributes and username attributes exclude one another', async () => {
      await assert.rejects(create({ AliasAttributes: ['email'], UsernameAttributes: ['email'] }), {
        name: 'InvalidParameterException',
        message: 'Only one of the aliasAttributes or usernameAttributes can be set in an user pool.',
      })
      assert.deepEqual((await create({ UsernameAttributes: ['email', 'phone_number'] })).UsernameAttributes, [
        'email',
        'phone_number',
      ])
    })

    test('the schema takes changes to standard attributes and custom attributes', async () => {
      const pool = await create({
        Schema: [
          { Name: 'email', AttributeDataType: 'String', Required: true, Mutable: false },
          { Name: 'role', AttributeDataType: 'String', StringAttributeConstraints: { MaxLength: '20' } },
          { Name: 'level', AttributeDataType: 'Number' },
          { Name: 'note', AttributeDataType: 'String', DeveloperOnlyAttribute: true },
        ],
      })
      const schema = (await describePool(pool.Id ?? '')).SchemaAttributes ?? []
      assert.deepEqual(
        schema.find(attribute => attribute.Name === 'email'),
        {
          Name: 'email',
          AttributeDataType: 'String',
          DeveloperOnlyAttribute: false,
          Mutable: false,
          Required: true,
          StringAttributeConstraints: { MinLength: '0', MaxLength: '2048' },
        },
      )
      assert.deepEqual(
        schema.slice(20).map(attribute => attribute.Name),
        ['custom:role', 'custom:level', 'dev:custom:note'],
      )
      assert.deepEqual(schema[20]?.StringAttributeConstraints, { MaxLength: '20' })
      assert.deepEqual(schema[21]?.NumberAttributeConstraints, {})
    })

    test('a schema that cannot be is refused, and no pool is made', async () => {
      const before = (await app.aws.listUserPools({ MaxResults: 60 })).UserPools?.length
      const schemas: [CreateUserPoolCommandInput['Schema'], string][] = [
        [
          [{ Name: 'email', AttributeDataType: 'Number' }],
          'You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute email',
        ],
        [
          [{ Name: 'role', AttributeDataType: 'String', Required: true }],
          'Required custom attributes are not supported currently.',
        ],
        [
          [
            { Name: 'role', AttributeDataType: 'String' },
            { Name: 'role', AttributeDataType: 'String' },
          ],
          'custom:role: Existing attribute already has name custom:role.',
        ],
      ]
      for (const [Schema, message] of schemas) {
        await assert.rejects(create({ Schema }), { name: 'InvalidParameterException', message })
      }
      assert.equal((await app.aws.listUserPools({ MaxResults: 60 })).UserPools?.length, before)
    })

    test('users are counted exactly up to ten thousand, above that at most a minute late', async () => {
      const id = await createId()
      await seedUsers(id, 10_000)
      assert.equal((await describePool(id)).EstimatedNumberOfUsers, 10_000)
      const more = (name: string) => app.database.db.insertInto('users').values(userRow(id, name)).execute()
      await more('first')
      assert.equal((await describePool(id)).EstimatedNumberOfUsers, 10_001)
      await more('second')
      app.advance(minutes(1))
      assert.equal((await describePool(id)).EstimatedNumberOfUsers, 10_002)
      await app.database.db.deleteFrom('users').where('id', 'like', `${id}-000%`).execute()
      assert.equal((await describePool(id)).EstimatedNumberOfUsers, 9_002)
      assert.equal((await describePool(await createId())).EstimatedNumberOfUsers, 0)
    })

    test('a region takes a thousand pools, also when many are made at once', async () => {
      const region = 'us-west-2'
      const rows = Array.from({ length: 997 }, (_, index) => ({
        id: `${region}_quota${index}`,
        region,
        name: 'quota',
        settings: '{}',
        version: 1,
        created_at: app.now(),
        updated_at: app.now(),
      }))
      for (let start = 0; start < rows.length; start += 200) {
        await app.database.db
          .insertInto('pools')
          .values(rows.slice(start, start + 200))
          .execute()
      }
      const west = app.client({ region })
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, () => west.createUserPool({ PoolName: 'one more' })),
      )
      assert.equal(results.filter(result => result.status === 'fulfilled').length, 3)
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.name, 'LimitExceededException')
      }
      await west.deleteUserPool({ UserPoolId: `${region}_quota0` })
      await west.createUserPool({ PoolName: 'again' })
      await create()
    })
  })

  describe('ListUserPools', () => {
    test('pages show every pool of the region once, in a stable order, and the last has no token', async () => {
      const region = app.client({ region: 'eu-north-1' })
      const made: string[] = []
      for (let index = 0; index < 7; index += 1) {
        const { UserPool } = await region.createUserPool({ PoolName: `pool ${index}` })
        made.push(UserPool?.Id ?? '')
      }
      const shown: string[] = []
      let NextToken: string | undefined
      const sizes: number[] = []
      do {
        const page = await region.listUserPools({ MaxResults: 3, NextToken })
        shown.push(...(page.UserPools ?? []).map(pool => pool.Id ?? ''))
        sizes.push(page.UserPools?.length ?? 0)
        NextToken = page.NextToken
      } while (NextToken !== undefined)
      assert.deepEqual(sizes, [3, 3, 1])
      assert.deepEqual(shown, made.toSorted())
      const { NextToken: none } = await region.listUserPools({ MaxResults: 7 })
      assert.equal(none, undefined)
    })

    test('an entry has id, name, dates and triggers', async () => {
      const region = app.client({ region: 'eu-south-1' })
      const PreSignUp = 'arn:aws:lambda:eu-south-1:123456789012:function:check'
      const { UserPool } = await region.createUserPool({ PoolName: 'listed', LambdaConfig: { PreSignUp } })
      const { UserPools } = await region.listUserPools({ MaxResults: 1 })
      assert.deepEqual(UserPools, [
        {
          Id: UserPool?.Id,
          Name: 'listed',
          LambdaConfig: { PreSignUp },
          CreationDate: UserPool?.CreationDate,
          LastModifiedDate: UserPool?.LastModifiedDate,
        },
      ])
    })

    test('MaxResults is required and lies between 1 and 60', async () => {
      for (const MaxResults of [undefined, 0, 61]) {
        await assert.rejects(app.aws.listUserPools({ MaxResults }), { name: 'InvalidParameterException' })
      }
      await app.aws.listUserPools({ MaxResults: 60 })
    })

    test('a pool that is made or deleted between two pages hides no other one', async () => {
      const region = app.client({ region: 'eu-west-3' })
      for (let index = 0; index < 4; index += 1) await region.createUserPool({ PoolName: 'kept' })
      const ids = (await region.listUserPools({ MaxResults: 60 })).UserPools?.map(pool => pool.Id ?? '') ?? []
      const first = await region.listUserPools({ MaxResults: 2 })
      await region.deleteUserPool({ UserPoolId: ids[0] })
      const second = await region.listUserPools({ MaxResults: 2, NextToken: first.NextToken })
      assert.deepEqual(
        second.UserPools?.map(pool => pool.Id),
        ids.slice(2),
      )
    })

    test('a token works for an hour, in its own region and unchanged only', async () => {
      const region = app.client({ region: 'ca-central-1' })
      const other = app.client({ region: 'sa-east-1' })
      for (let index = 0; index < 3; index += 1) await region.createUserPool({ PoolName: 'paged' })
      for (let index = 0; index < 3; index += 1) await other.createUserPool({ PoolName: 'paged' })
      const { NextToken = '' } = await region.listUserPools({ MaxResults: 1 })
      const refused = { name: 'InvalidParameterException', message: 'Invalid pagination token.' }
      await assert.rejects(other.listUserPools({ MaxResults: 1, NextToken }), refused)
      const wrong = ['x', NextToken.slice(0, -1), `${NextToken}A`, NextToken.repeat(200), 'A'.repeat(NextToken.length)]
      for (let index = 0; index < NextToken.length; index += 5) {
        const flipped = NextToken[index] === 'A' ? 'B' : 'A'
        wrong.push(NextToken.slice(0, index) + flipped + NextToken.slice(index + 1))
      }
      for (const token of wrong) {
        await assert.rejects(region.listUserPools({ MaxResults: 1, NextToken: token }), refused, token)
      }
      const UserPoolId = (await region.listUserPools({ MaxResults: 1 })).UserPools?.[0]?.Id
      await assert.rejects(region.listUserPoolClients({ UserPoolId, NextToken }), refused)
      app.advance(hours(1) - 1)
      assert.equal((await region.listUserPools({ MaxResults: 1, NextToken })).UserPools?.length, 1)
      app.advance(1)
      await assert.rejects(region.listUserPools({ MaxResults: 1, NextToken }), refused)
    })
  })

  describe('UpdateUserPool', () => {
    test('what an update omits goes back to its default', async () => {
      const id = await createId({
        Policies: {
          PasswordPolicy: { MinimumLength: 20 },
          SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'SMS_OTP'] },
        },
        DeletionProtection: 'ACTIVE',
        LambdaConfig: { PreSignUp: 'arn:aws:lambda:us-east-1:123456789012:function:check' },
        AutoVerifiedAttributes: ['email'],
        EmailVerificationMessage: 'Your code: {####}',
        SmsAuthenticationMessage: 'Code {####}',
        DeviceConfiguration: { ChallengeRequiredOnNewDevice: true },
        EmailConfiguration: { ReplyToEmailAddress: 'reply@example.com' },
        AdminCreateUserConfig: { AllowAdminCreateUserOnly: true, InviteMessageTemplate: { EmailSubject: 'Hello' } },
        AccountRecoverySetting: { RecoveryMechanisms: [{ Priority: 1, Name: 'admin_only' }] },
        UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' },
        AcrConfiguration: { Level1: { AcrValue: 'low' } },
        IssuerConfiguration: { Type: 'UPDATED' },
      })
      app.advance(seconds(5))
      await app.aws.updateUserPool({ UserPoolId: id })
      const untouched = await create()
      const { Id, Arn, ...after } = await describePool(id)
      const { Id: _id, Arn: _arn, ...defaults } = untouched
      assert.deepEqual(
        { ...after, CreationDate: undefined },
        { ...defaults, CreationDate: undefined, LastModifiedDate: new Date(app.now()) },
      )
      assert.deepEqual(after.CreationDate, new Date(app.now() - seconds(5)))
    })

    test('what cannot be updated stays, and so do the members that an update keeps', async () => {
      const created = await create({
        AliasAttributes: ['email'],
        UsernameConfiguration: { CaseSensitive: false },
        Schema: [{ Name: 'role', AttributeDataType: 'String' }],
        AutoVerifiedAttributes: ['email'],
        UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] },
        SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::123456789012:role/sms', ExternalId: 'one' },
        DcrConfiguration: { OpenDcrEnabled: true },
        UserPoolTags: { team: 'identity' },
      })
      const UserPoolId = created.Id
      await app.aws.updateUserPool({ UserPoolId, AutoVerifiedAttributes: ['email'] })
      const after = await describePool(UserPoolId ?? '')
      for (const name of [
        'Name',
        'SchemaAttributes',
        'AliasAttributes',
        'UsernameConfiguration',
        'UserAttributeUpdateSettings',
        'SmsConfiguration',
        'DcrConfiguration',
        'UserPoolTags',
      ] as const) {
        assert.ok(after[name] !== undefined, name)
        assert.deepEqual(after[name], created[name], name)
      }
      await app.aws.updateUserPool({
        UserPoolId,
        PoolName: 'renamed',
        UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: [] },
        SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::123456789012:role/other' },
        DcrConfiguration: { EnableStatus: 'Disabled' },
        UserPoolTags: { owner: 'ann' },
      })
      const changed = await describePool(UserPoolId ?? '')
      assert.equal(changed.Name, 'renamed')
      assert.deepEqual(changed.UserAttributeUpdateSettings, { AttributesRequireVerificationBeforeUpdate: [] })
      assert.deepEqual(changed.SmsConfiguration, { SnsCallerArn: 'arn:aws:iam::123456789012:role/other' })
      assert.deepEqual(changed.DcrConfiguration, {
        EnableStatus: 'Disabled',
        OpenDcrEnabled: false,
        AuthenticatedGrantTypes: ['code', 'client_credentials'],
        OpenDcrGrantTypes: ['code'],
        AllowedScopes: [],
      })
      assert.deepEqual(changed.UserPoolTags, { owner: 'ann' })
    })

    test('an update that is refused changes nothing', async () => {
      const before = await create({ AutoVerifiedAttributes: ['email'] })
      await assert.rejects(app.aws.updateUserPool({ UserPoolId: before.Id, PoolName: 'no', MfaConfiguration: 'ON' }), {
        name: 'InvalidParameterException',
      })
      assert.deepEqual(await describePool(before.Id ?? ''), before)
    })

    test('of several updates at the same time those that would overwrite another one are told so', async () => {
      const id = await createId()
      const names = Array.from({ length: 8 }, (_, index) => `name ${index}`)
      const results = await Promise.allSettled(
        names.map(PoolName => app.aws.updateUserPool({ UserPoolId: id, PoolName })),
      )
      const done = names.filter((_, index) => results[index]?.status === 'fulfilled')
      assert.ok(done.length >= 1)
      assert.ok(done.includes((await describePool(id)).Name ?? ''))
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.name, 'ConcurrentModificationException')
      }
      const { version } = await app.database.db
        .selectFrom('pools')
        .select('version')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      assert.equal(version, 1 + done.length)
    })

    test('a pool that does not exist is not found', async () => {
      await assert.rejects(app.aws.updateUserPool({ UserPoolId: 'us-east-1_none' }), unknownPool('us-east-1_none'))
    })
  })

  describe('DeleteUserPool', () => {
    test('a deleted pool is gone with all that was in it, and another one stays', async () => {
      const [id, other] = [await createId(), await createId()]
      const clients: Record<string, string> = {}
      for (const UserPoolId of [id, other]) {
        const { UserPoolClient } = await app.aws.createUserPoolClient({
          UserPoolId,
          ClientName: 'web',
          GenerateSecret: true,
        })
        clients[UserPoolId] = UserPoolClient?.ClientId ?? ''
        await app.aws.createGroup({ UserPoolId, GroupName: 'staff' })
        await seedUsers(UserPoolId, 3)
      }
      await app.aws.describeUserPoolClient({ UserPoolId: id, ClientId: clients[id] })
      await app.aws.deleteUserPool({ UserPoolId: id })
      await assert.rejects(describePool(id), unknownPool(id))
      await assert.rejects(app.aws.deleteUserPool({ UserPoolId: id }), unknownPool(id))
      await assert.rejects(app.aws.listUserPoolClients({ UserPoolId: id }), unknownPool(id))
      for (const table of ['clients', 'groups', 'users', 'signing_keys'] as const) {
        const rows = await app.database.db
          .selectFrom(table)
          .select('pool_id')
          .where('pool_id', 'in', [id, other])
          .execute()
        assert.ok(rows.length > 0, table)
        assert.ok(
          rows.every(row => row.pool_id === other),
          table,
        )
      }
      const secrets = await app.database.db
        .selectFrom('client_secrets')
        .select('client_id')
        .where('client_id', 'in', Object.values(clients))
        .execute()
      assert.deepEqual(secrets, [{ client_id: clients[other] }])
      await describePool(other)
    })

    test('deletion protection must be taken away first', async () => {
      const id = await createId({ DeletionProtection: 'ACTIVE' })
      await assert.rejects(app.aws.deleteUserPool({ UserPoolId: id }), {
        name: 'InvalidParameterException',
        message:
          'The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.',
      })
      await app.aws.createUserPoolClient({ UserPoolId: id, ClientName: 'still works' })
      await app.aws.updateUserPool({ UserPoolId: id, DeletionProtection: 'INACTIVE' })
      await app.aws.deleteUserPool({ UserPoolId: id })
    })

    test('of many deletions at the same time exactly one succeeds', async () => {
      const id = await createId()
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, () => app.aws.deleteUserPool({ UserPoolId: id })),
      )
      assert.equal(results.filter(result => result.status === 'fulfilled').length, 1)
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.name, 'ResourceNotFoundException')
      }
    })

    test('a large pool is invisible at once and its rows are removed bit by bit', async () => {
      const region = app.client({ region: 'me-south-1' })
      const { UserPool } = await region.createUserPool({ PoolName: 'large' })
      const UserPoolId = UserPool?.Id ?? ''
      await seedUsers(UserPoolId, 2_500)
      await region.deleteUserPool({ UserPoolId })
      await assert.rejects(region.describeUserPool({ UserPoolId }), unknownPool(UserPoolId))
      await assert.rejects(
        region.tagResource({ ResourceArn: UserPool?.Arn, Tags: { a: 'b' } }),
        unknownPool(UserPoolId),
      )
      assert.deepEqual((await region.listUserPools({ MaxResults: 60 })).UserPools, [])
      const left = () => app.database.db.selectFrom('pools').select('id').where('id', '=', UserPoolId).execute()
      assert.equal((await left()).length, 1)
      await app.app.tick()
      assert.deepEqual(await left(), [])
      const users = await app.database.db.selectFrom('users').select('id').where('pool_id', '=', UserPoolId).execute()
      assert.deepEqual(users, [])
    })
  })

  describe('AddCustomAttributes', () => {
    test('the attributes follow those that are there', async () => {
      const id = await createId({ Schema: [{ Name: 'role', AttributeDataType: 'String' }] })
      app.advance(seconds(1))
      await app.aws.addCustomAttributes({
        UserPoolId: id,
        CustomAttributes: [
          { Name: 'since', AttributeDataType: 'DateTime', Mutable: false },
          { Name: 'level', AttributeDataType: 'Number', NumberAttributeConstraints: { MinValue: '1', MaxValue: '9' } },
        ],
      })
      const pool = await describePool(id)
      assert.deepEqual(
        pool.SchemaAttributes?.slice(20).map(attribute => attribute.Name),
        ['custom:role', 'custom:since', 'custom:level'],
      )
      assert.deepEqual(pool.LastModifiedDate, new Date(app.now()))
    })

    test('a name that is taken is refused, and then none is added', async () => {
      const UserPoolId = await createId({ Schema: [{ Name: 'role', AttributeDataType: 'String' }] })
      await assert.rejects(
        app.aws.addCustomAttributes({
          UserPoolId,
          CustomAttributes: [
            { Name: 'fresh', AttributeDataType: 'String' },
            { Name: 'role', AttributeDataType: 'String' },
          ],
        }),
        { name: 'InvalidParameterException', message: 'custom:role: Existing attribute already has name custom:role.' },
      )
      assert.equal((await describePool(UserPoolId)).SchemaAttributes?.length, 21)
      await assert.rejects(
        app.aws.addCustomAttributes({
          UserPoolId,
          CustomAttributes: [{ Name: 'must', AttributeDataType: 'String', Required: true }],
        }),
        { name: 'InvalidParameterException', message: 'Required custom attributes are not supported currently.' },
      )
    })

    test('a pool has at most fifty, also when many are added at once, and none gets lost', async () => {
      const UserPoolId = await createId()
      const results = await Promise.allSettled(
        Array.from({ length: 12 }, (_, batch) =>
          app.aws.addCustomAttributes({
            UserPoolId,
            CustomAttributes: Array.from({ length: 5 }, (_, index) => ({
              Name: `a${batch}b${index}`,
              AttributeDataType: 'String' as const,
            })),
          }),
        ),
      )
      const refused = results.filter(result => result.status === 'rejected')
      assert.deepEqual(
        refused.map(result => result.reason.name),
        ['InvalidParameterException', 'InvalidParameterException'],
      )
      const names = (await describePool(UserPoolId)).SchemaAttributes?.slice(20).map(attribute => attribute.Name) ?? []
      assert.equal(new Set(names).size, 50)
    })

    test('one to twenty-five at a time, to a pool that exists', async () => {
      const UserPoolId = await createId()
      const attributes = Array.from({ length: 26 }, (_, index) => ({
        Name: `n${index}`,
        AttributeDataType: 'String' as const,
      }))
      for (const CustomAttributes of [[], attributes]) {
        await assert.rejects(app.aws.addCustomAttributes({ UserPoolId, CustomAttributes }), {
          name: 'InvalidParameterException',
        })
      }
      const unknown = { UserPoolId: 'us-east-1_none', CustomAttributes: attributes.slice(0, 1) }
      await assert.rejects(app.aws.addCustomAttributes(unknown), unknownPool('us-east-1_none'))
    })
  })
})

test('what one node changes, another one shows and can change again', async () => {
  await using one = await openTestApp('postgres')
  await using other = await one.secondNode()
  const { UserPool } = await one.aws.createUserPool({ PoolName: 'shared' })
  const UserPoolId = UserPool?.Id
  assert.equal((await other.aws.describeUserPool({ UserPoolId })).UserPool?.Name, 'shared')
  for (const [index, node] of [one, other, other, one].entries()) {
    await node.aws.updateUserPool({ UserPoolId, PoolName: `name ${index}` })
    assert.equal((await node.aws.describeUserPool({ UserPoolId })).UserPool?.Name, `name ${index}`)
  }
  one.advance(seconds(1))
  assert.equal((await other.aws.describeUserPool({ UserPoolId })).UserPool?.Name, 'name 3')
  await one.aws.deleteUserPool({ UserPoolId })
  one.advance(seconds(1))
  await assert.rejects(other.aws.describeUserPool({ UserPoolId }), { name: 'ResourceNotFoundException' })
})

test('in the form of AWS the issuer follows the configuration of the pool', async () => {
  await using app = await openTestApp('sqlite', { settings: { issuer: 'aws' } })
  const issuers: Record<string, string> = {}
  for (const Type of ['ORIGINAL', 'UPDATED'] as const) {
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'issuer', IssuerConfiguration: { Type } })
    const response = await fetch(`${app.url}/${UserPool?.Id}/.well-known/openid-configuration`)
    const { issuer } = (await response.json()) as { issuer: string }
    issuers[Type] = issuer.replace(UserPool?.Id ?? '', 'POOL')
  }
  assert.deepEqual(issuers, {
    ORIGINAL: 'https://cognito-idp.us-east-1.amazonaws.com/POOL',
    UPDATED: 'https://issuer-cognito-idp.us-east-1.amazonaws.com/POOL',
  })
})
