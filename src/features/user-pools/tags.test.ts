import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { onEachDatabase, seconds, type TestApp } from '../../../test/support/app.ts'

onEachDatabase(testApp => {
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const create = async (UserPoolTags?: Record<string, string>): Promise<{ id: string; arn: string }> => {
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'tagged', UserPoolTags })
    return { id: UserPool?.Id ?? '', arn: UserPool?.Arn ?? '' }
  }
  const tagsOf = async (ResourceArn: string) => (await app.aws.listTagsForResource({ ResourceArn })).Tags

  test('tags of the operations and of the pool are one set', async () => {
    const { id, arn } = await create({ team: 'identity' })
    assert.deepEqual(await tagsOf(arn), { team: 'identity' })
    app.advance(seconds(1))
    await app.aws.tagResource({ ResourceArn: arn, Tags: { team: 'people', stage: '' } })
    const { UserPool } = await app.aws.describeUserPool({ UserPoolId: id })
    assert.deepEqual(UserPool?.UserPoolTags, { team: 'people', stage: '' })
    assert.deepEqual(UserPool?.LastModifiedDate, UserPool?.CreationDate)
    await app.aws.untagResource({ ResourceArn: arn, TagKeys: ['team', 'never there'] })
    assert.deepEqual(await tagsOf(arn), { stage: '' })
    await app.aws.updateUserPool({ UserPoolId: id, UserPoolTags: { owner: 'ann' } })
    assert.deepEqual(await tagsOf(arn), { owner: 'ann' })
  })

  test('a pool without tags has an empty set', async () => {
    assert.deepEqual(await tagsOf((await create()).arn), {})
  })

  test('keys may be the names of what objects have', async () => {
    const { arn } = await create()
    const Tags = JSON.parse('{"__proto__": "a", "constructor": "b", "hasOwnProperty": "c"}') as Record<string, string>
    await app.aws.tagResource({ ResourceArn: arn, Tags })
    assert.deepEqual(await tagsOf(arn), Tags)
    await app.aws.untagResource({ ResourceArn: arn, TagKeys: ['__proto__', 'constructor'] })
    assert.deepEqual(await tagsOf(arn), { hasOwnProperty: 'c' })
  })

  test('keys that begin with aws: are reserved', async () => {
    const { arn } = await create()
    for (const key of ['aws:x', 'AWS:x']) {
      await assert.rejects(app.aws.tagResource({ ResourceArn: arn, Tags: { ok: 'v', [key]: 'v' } }), {
        name: 'InvalidParameterException',
        message: 'Tag keys must not begin with aws:, which is reserved.',
      })
    }
    assert.deepEqual(await tagsOf(arn), {})
  })

  test('a pool has at most fifty tags, also when many are added at once, and none gets lost', async () => {
    const { arn } = await create()
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, batch) =>
        app.aws.tagResource({
          ResourceArn: arn,
          Tags: Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`k${batch}-${index}`, 'v'])),
        }),
      ),
    )
    const refused = results.filter(result => result.status === 'rejected')
    assert.deepEqual(
      refused.map(result => result.reason.message),
      ['A user pool can have at most 50 tags.', 'A user pool can have at most 50 tags.'],
    )
    const tags = (await tagsOf(arn)) ?? {}
    assert.equal(Object.keys(tags).length, 50)
    const [some = ''] = Object.keys(tags)
    await app.aws.tagResource({ ResourceArn: arn, Tags: { [some]: 'another value' } })
  })

  test('keys have 1 to 128 characters and values 0 to 256', async () => {
    const { arn } = await create()
    await app.aws.tagResource({ ResourceArn: arn, Tags: { ['k'.repeat(128)]: 'v'.repeat(256) } })
    const refused: Record<string, string>[] = [{ '': 'v' }, { ['k'.repeat(129)]: 'v' }, { k: 'v'.repeat(257) }]
    for (const Tags of refused) {
      await assert.rejects(app.aws.tagResource({ ResourceArn: arn, Tags }), { name: 'InvalidParameterException' })
    }
  })

  test('a pool that is not there, or is in another account or region, is not found', async () => {
    const { id, arn } = await create({ secret: 'x' })
    const refused = { name: 'ResourceNotFoundException', message: `User pool ${id} does not exist.` }
    const arns = [arn.replace('123456789012', '210987654321'), arn.replace(':us-east-1:', ':us-west-2:')]
    for (const ResourceArn of arns) {
      await assert.rejects(app.aws.listTagsForResource({ ResourceArn }), refused)
      await assert.rejects(app.aws.tagResource({ ResourceArn, Tags: { a: 'b' } }), refused)
      await assert.rejects(app.aws.untagResource({ ResourceArn, TagKeys: ['secret'] }), refused)
    }
    const elsewhere = app.client({ region: 'us-west-2' })
    for (const ResourceArn of [arn, ...arns]) {
      await assert.rejects(elsewhere.tagResource({ ResourceArn, Tags: { a: 'b' } }), refused)
    }
    const unknown = arn.replace(id, 'us-east-1_none')
    await assert.rejects(app.aws.listTagsForResource({ ResourceArn: unknown }), { name: 'ResourceNotFoundException' })
    assert.deepEqual(await tagsOf(arn), { secret: 'x' })
  })

  test('the ARN must be the one of a pool', async () => {
    const { arn } = await create()
    for (const ResourceArn of [
      'arn:aws:iam::123456789012:role/sms',
      arn.replace(':userpool/', ':identitypool/'),
      `${arn}:userpool/us-east-1_other`,
      `${arn}/client`,
      arn.replace('cognito-idp', 'cognito-idp.evil'),
      'not an ARN, though long enough',
    ]) {
      await assert.rejects(
        app.aws.tagResource({ ResourceArn, Tags: { a: 'b' } }),
        { name: 'InvalidParameterException' },
        ResourceArn,
      )
    }
  })

  test('tags of one pool are none of another one', async () => {
    const [one, other] = [await create({ a: '1' }), await create({ a: '2' })]
    await app.aws.untagResource({ ResourceArn: one.arn, TagKeys: ['a'] })
    assert.deepEqual(await tagsOf(other.arn), { a: '2' })
  })
})
