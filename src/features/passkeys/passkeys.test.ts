import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { hours, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { createPasskeyPool, newPasskey, registerPasskey } from '../../../test/support/passkeys.ts'
import type { TestPool } from '../../../test/support/pools.ts'
import { createUser, failureOf, notAuthorized, signIn } from '../../../test/support/sign-in.ts'

const notFound = { name: 'ResourceNotFoundException', message: 'Passkey does not exist.' }

onEachDatabase(testApp => {
  let app: TestApp
  let pool: TestPool
  let users = 0

  before(async () => {
    app = await testApp()
    pool = await createPasskeyPool(app)
  })

  const newUser = async (in_: TestPool = pool) => {
    users += 1
    const username = `user-${users}`
    await createUser(app, in_.poolId, username)
    return { username, ...(await signIn(app, in_.clientId, username)) }
  }

  const idsOf = async (AccessToken: string): Promise<(string | undefined)[]> =>
    ((await app.aws.listWebAuthnCredentials({ AccessToken })).Credentials ?? []).map(({ CredentialId }) => CredentialId)

  describe('the list of passkeys', () => {
    test('is empty for a user who has none', async () => {
      const { access } = await newUser()
      const { Credentials, NextToken } = await app.aws.listWebAuthnCredentials({ AccessToken: access })
      assert.deepEqual({ Credentials, NextToken }, { Credentials: [], NextToken: undefined })
    })

    test('has the oldest first, whole or page by page', async () => {
      const { access } = await newUser()
      const ids: string[] = []
      for (let count = 0; count < 7; count += 1) {
        ids.push((await registerPasskey(app, access)).id)
        // Some of them at the same moment.
        if (count % 3 === 2) app.advance(1)
      }
      const order = [...ids.slice(0, 3).sort(), ...ids.slice(3, 6).sort(), ...ids.slice(6)]
      assert.deepEqual(await idsOf(access), order)
      const paged: (string | undefined)[] = []
      let NextToken: string | undefined
      do {
        const page = await app.aws.listWebAuthnCredentials({ AccessToken: access, MaxResults: 2, NextToken })
        assert.ok((page.Credentials ?? []).length <= 2)
        paged.push(...(page.Credentials ?? []).map(({ CredentialId }) => CredentialId))
        NextToken = page.NextToken
      } while (NextToken !== undefined)
      assert.deepEqual(paged, order)
      assert.equal(
        (await app.aws.listWebAuthnCredentials({ AccessToken: access, MaxResults: 0 })).Credentials?.length,
        7,
      )
    })

    test('goes on for the same user only, and within an hour', async () => {
      const [ann, bob] = [await newUser(), await newUser()]
      for (let count = 0; count < 3; count += 1) await registerPasskey(app, ann.access)
      await registerPasskey(app, bob.access)
      const { NextToken } = await app.aws.listWebAuthnCredentials({ AccessToken: ann.access, MaxResults: 1 })
      const next = (AccessToken: string, token = NextToken) =>
        failureOf(app.aws.listWebAuthnCredentials({ AccessToken, NextToken: token }))
      assert.equal(await next(ann.access), undefined)
      assert.equal((await next(bob.access))?.name, 'InvalidParameterException')
      assert.equal((await next(ann.access, 'garbage'))?.name, 'InvalidParameterException')
      app.advance(hours(1))
      const again = await signIn(app, pool.clientId, ann.username)
      assert.equal((await next(again.access))?.name, 'InvalidParameterException')
    })

    test('takes at most twenty', async () => {
      const { access } = await newUser()
      for (const MaxResults of [-1, 21]) {
        const failure = await failureOf(app.aws.listWebAuthnCredentials({ AccessToken: access, MaxResults }))
        assert.equal(failure?.name, 'InvalidParameterException')
      }
    })

    test('shows passkeys of a relying party that the pool had before, which can be deleted', async () => {
      const own = await createPasskeyPool(app)
      const { access } = await newUser(own)
      const { id } = await registerPasskey(app, access)
      const WebAuthnConfiguration = { RelyingPartyId: 'example.org' }
      await app.aws.setUserPoolMfaConfig({ UserPoolId: own.poolId, WebAuthnConfiguration })
      const { Credentials } = await app.aws.listWebAuthnCredentials({ AccessToken: access })
      assert.deepEqual(
        Credentials?.map(credential => [credential.CredentialId, credential.RelyingPartyId]),
        [[id, 'example.com']],
      )
      const { ConfiguredUserAuthFactors } = await app.aws.getUserAuthFactors({ AccessToken: access })
      assert.deepEqual(ConfiguredUserAuthFactors, ['PASSWORD'])
      await app.aws.deleteWebAuthnCredential({ AccessToken: access, CredentialId: id })
      assert.deepEqual(await idsOf(access), [])
    })
  })

  describe('a passkey is deleted', () => {
    test('by its user, once, and can be registered again', async () => {
      const { access } = await newUser()
      const [kept, passkey] = [await registerPasskey(app, access), await registerPasskey(app, access)]
      const remove = () => app.aws.deleteWebAuthnCredential({ AccessToken: access, CredentialId: passkey.id })
      await remove()
      assert.deepEqual(await idsOf(access), [kept.id])
      assert.deepEqual(await failureOf(remove()), notFound)
      await registerPasskey(app, access, passkey)
    })

    test('by nobody else, in the pool or elsewhere', async () => {
      const [ann, bob] = [await newUser(), await newUser()]
      const stranger = await newUser(await createPasskeyPool(app))
      const { id } = await registerPasskey(app, ann.access)
      for (const { access } of [bob, stranger]) {
        const remove = app.aws.deleteWebAuthnCredential({ AccessToken: access, CredentialId: id })
        assert.deepEqual(await failureOf(remove), notFound)
      }
      for (const CredentialId of ['', 'x', `${id}=`, 'a'.repeat(131_072)]) {
        const remove = app.aws.deleteWebAuthnCredential({ AccessToken: ann.access, CredentialId })
        assert.deepEqual(await failureOf(remove), notFound)
      }
      assert.deepEqual(await idsOf(ann.access), [id])
    })

    test('by one of many who try', async () => {
      const { access } = await newUser()
      const { id } = await registerPasskey(app, access)
      const tries = Array.from({ length: 8 }, () =>
        failureOf(app.aws.deleteWebAuthnCredential({ AccessToken: access, CredentialId: id })),
      )
      const failures = (await Promise.all(tries)).filter(failure => failure !== undefined)
      assert.deepEqual(failures, Array(7).fill(notFound))
    })

    test('with its user, and with the pool', async () => {
      const own = await createPasskeyPool(app)
      const [ann, bob] = [await newUser(own), await newUser(own)]
      for (const { access } of [ann, bob]) await registerPasskey(app, access)
      await app.aws.startWebAuthnRegistration({ AccessToken: bob.access })
      const count = async () => {
        const { db } = app.database
        const passkeys = await db.selectFrom('passkeys').select('user_id').where('pool_id', '=', own.poolId).execute()
        return passkeys.length
      }
      assert.equal(await count(), 2)
      await app.aws.deleteUser({ AccessToken: ann.access })
      assert.equal(await count(), 1)
      await app.aws.deleteUserPool({ UserPoolId: own.poolId })
      assert.equal(await count(), 0)
    })
  })

  test('every operation asks for an access token of the API, in force', async () => {
    const { access, id } = await newUser()
    await app.aws.revokeToken({ ClientId: pool.clientId, Token: (await newUser()).refresh })
    const calls = (AccessToken: string) => [
      app.aws.startWebAuthnRegistration({ AccessToken }),
      app.aws.completeWebAuthnRegistration({
        AccessToken,
        Credential: newPasskey().register({ challenge: 'AAAA' }) as { id: string },
      }),
      app.aws.listWebAuthnCredentials({ AccessToken }),
      app.aws.deleteWebAuthnCredential({ AccessToken, CredentialId: 'AAAA' }),
    ]
    for (const call of calls(id)) assert.deepEqual(await failureOf(call), notAuthorized('Invalid Access Token'))
    await app.aws.globalSignOut({ AccessToken: access })
    for (const call of calls(access)) {
      assert.deepEqual(await failureOf(call), notAuthorized('Access Token has been revoked'))
    }
  })

  test('every operation asks for the scope of the API', async () => {
    const arn = app.lambda('scopes', event => ({
      ...event,
      response: {
        claimsAndScopeOverrideDetails: {
          accessTokenGeneration: { scopesToSuppress: ['aws.cognito.signin.user.admin'], scopesToAdd: ['openid'] },
        },
      },
    }))
    const own = await createPasskeyPool(app, {
      pool: {
        Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'WEB_AUTHN'] } },
        LambdaConfig: { PreTokenGenerationConfig: { LambdaArn: arn, LambdaVersion: 'V2_0' } },
      },
    })
    const { access } = await newUser(own)
    const scopes = notAuthorized('Access Token does not have required scopes')
    assert.deepEqual(await failureOf(app.aws.startWebAuthnRegistration({ AccessToken: access })), scopes)
    assert.deepEqual(await failureOf(app.aws.listWebAuthnCredentials({ AccessToken: access })), scopes)
    const remove = app.aws.deleteWebAuthnCredential({ AccessToken: access, CredentialId: 'AAAA' })
    assert.deepEqual(await failureOf(remove), scopes)
  })
})
