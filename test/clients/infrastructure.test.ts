/**
 * What infrastructure tools do with each resource: create it, read it back and expect no drift, change one field, read
 * it back, delete it and expect it gone.
 */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type {
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
} from '@aws-sdk/client-cognito-identity-provider'
import { onEachDatabase, type TestApp } from '../support/app.ts'
import { png } from '../support/images.ts'

/** Every member that was sent must come back with the value that was sent; the answer may hold more. */
const assertNoDrift = (read: unknown, sent: unknown, path = ''): void => {
  if (Array.isArray(sent)) {
    assert.ok(Array.isArray(read), path)
    assert.deepEqual(read.map(canonical).toSorted(), sent.map(canonical).toSorted(), path)
  } else if (typeof sent === 'object' && sent !== null) {
    assert.ok(typeof read === 'object' && read !== null, path)
    for (const [name, value] of Object.entries(sent)) {
      assertNoDrift((read as Record<string, unknown>)[name], value, `${path}.${name}`)
    }
  } else assert.equal(read, sent, path)
}

/** JSON with sorted members: lists are sets, and members have no order. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  )

onEachDatabase(testApp => {
  let app: TestApp
  let UserPoolId: string

  before(async () => {
    app = await testApp()
    const { UserPool } = await app.aws.createUserPool({ PoolName: 'infrastructure', UserPoolTier: 'PLUS' })
    UserPoolId = UserPool?.Id ?? ''
  })

  test('a user pool', async () => {
    const role = 'arn:aws:iam::123456789012:role/sms'
    const settings = {
      Policies: {
        PasswordPolicy: {
          MinimumLength: 12,
          RequireLowercase: true,
          RequireNumbers: true,
          RequireSymbols: false,
          RequireUppercase: true,
          TemporaryPasswordValidityDays: 3,
          PasswordHistorySize: 4,
        },
        SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'EMAIL_OTP'] },
      },
      DeletionProtection: 'ACTIVE',
      AutoVerifiedAttributes: ['email'],
      VerificationMessageTemplate: {
        DefaultEmailOption: 'CONFIRM_WITH_CODE',
        EmailMessage: 'Code {####}',
        EmailSubject: 'Welcome',
        SmsMessage: 'Code {####}',
      },
      MfaConfiguration: 'OPTIONAL',
      SmsConfiguration: { SnsCallerArn: role, ExternalId: 'external', SnsRegion: 'us-east-1' },
      UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] },
      DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: true },
      EmailConfiguration: {
        EmailSendingAccount: 'DEVELOPER',
        SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/example.com',
        From: 'Example <no-reply@example.com>',
        ReplyToEmailAddress: 'help@example.com',
      },
      UserPoolTags: { team: 'identity' },
      AdminCreateUserConfig: {
        AllowAdminCreateUserOnly: true,
        InviteMessageTemplate: {
          EmailMessage: '{username} {####}',
          EmailSubject: 'Hello',
          SMSMessage: '{username} {####}',
        },
      },
      AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'verified_email', Priority: 1 }] },
      UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' },
      UserPoolTier: 'PLUS',
    } satisfies Omit<CreateUserPoolCommandInput, 'PoolName'>
    const { UserPool } = await app.aws.createUserPool({
      PoolName: 'drift',
      ...settings,
      AliasAttributes: ['email', 'preferred_username'],
      UsernameConfiguration: { CaseSensitive: false },
      Schema: [
        { Name: 'email', AttributeDataType: 'String', Required: true, Mutable: true },
        { Name: 'plan', AttributeDataType: 'String', StringAttributeConstraints: { MinLength: '1', MaxLength: '20' } },
      ],
    })
    const id = UserPool?.Id
    const read = async () => (await app.aws.describeUserPool({ UserPoolId: id })).UserPool
    assertNoDrift(await read(), { ...settings, Name: 'drift', AliasAttributes: ['email', 'preferred_username'] })
    const changed = { ...settings, DeletionProtection: 'INACTIVE' as const }
    await app.aws.updateUserPool({ UserPoolId: id, ...changed })
    assertNoDrift(await read(), { ...changed, UsernameConfiguration: { CaseSensitive: false } })
    await app.aws.deleteUserPool({ UserPoolId: id })
    await assert.rejects(read(), { name: 'ResourceNotFoundException' })
  })

  test('an app client', async () => {
    const settings = {
      AccessTokenValidity: 10,
      TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'hours', RefreshToken: 'days' },
      ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
      CallbackURLs: ['https://b.example/cb', 'https://a.example/cb'],
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['profile', 'openid'],
      AllowedOAuthFlowsUserPoolClient: true,
      PreventUserExistenceErrors: 'ENABLED',
    } satisfies Omit<CreateUserPoolClientCommandInput, 'UserPoolId' | 'ClientName'>
    const created = await app.aws.createUserPoolClient({
      UserPoolId,
      ClientName: 'drift',
      ...settings,
    })
    const ClientId = created.UserPoolClient?.ClientId
    const read = async () => (await app.aws.describeUserPoolClient({ UserPoolId, ClientId })).UserPoolClient
    assertNoDrift(await read(), { ClientName: 'drift', ...settings })
    const changed = { ...settings, AccessTokenValidity: 20 }
    await app.aws.updateUserPoolClient({ UserPoolId, ClientId, ClientName: 'drift', ...changed })
    assertNoDrift(await read(), { ClientName: 'drift', ...changed })
    await app.aws.deleteUserPoolClient({ UserPoolId, ClientId })
    await assert.rejects(read(), { name: 'ResourceNotFoundException' })
  })

  test('a domain', async () => {
    const Domain = `drift-${UserPoolId.slice(-6).toLowerCase()}`
    await app.aws.createUserPoolDomain({ UserPoolId, Domain, ManagedLoginVersion: 1 })
    const read = async () => (await app.aws.describeUserPoolDomain({ Domain })).DomainDescription
    assertNoDrift(await read(), { Domain, UserPoolId, Status: 'ACTIVE', ManagedLoginVersion: 1 })
    await app.aws.updateUserPoolDomain({ UserPoolId, Domain, ManagedLoginVersion: 2 })
    assertNoDrift(await read(), { Domain, UserPoolId, ManagedLoginVersion: 2 })
    await app.aws.deleteUserPoolDomain({ UserPoolId, Domain })
    assert.deepEqual(await read(), {})
  })

  test('a resource server', async () => {
    const Identifier = 'https://api.example.com'
    const scope = (ScopeName: string) => ({ ScopeName, ScopeDescription: `may ${ScopeName}` })
    await app.aws.createResourceServer({ UserPoolId, Identifier, Name: 'api', Scopes: [scope('read'), scope('write')] })
    const read = async () => (await app.aws.describeResourceServer({ UserPoolId, Identifier })).ResourceServer
    assertNoDrift(await read(), { Identifier, Name: 'api', Scopes: [scope('read'), scope('write')] })
    await app.aws.updateResourceServer({ UserPoolId, Identifier, Name: 'the api', Scopes: [scope('read')] })
    assertNoDrift(await read(), { Identifier, Name: 'the api', Scopes: [scope('read')] })
    await app.aws.deleteResourceServer({ UserPoolId, Identifier })
    await assert.rejects(read(), { name: 'ResourceNotFoundException' })
  })

  test('an identity provider', async () => {
    const ProviderName = 'Drift'
    const ProviderDetails = {
      client_id: 'client',
      client_secret: 'secret',
      authorize_scopes: 'openid email',
      attributes_request_method: 'GET',
      oidc_issuer: 'https://idp.example.com',
      authorize_url: 'https://idp.example.com/authorize',
      token_url: 'https://idp.example.com/token',
      attributes_url: 'https://idp.example.com/userinfo',
      jwks_uri: 'https://idp.example.com/jwks',
    }
    const settings = {
      ProviderDetails,
      AttributeMapping: { email: 'email', username: 'sub' },
      IdpIdentifiers: ['drift.example'],
    }
    await app.aws.createIdentityProvider({ UserPoolId, ProviderName, ProviderType: 'OIDC', ...settings })
    const read = async () => (await app.aws.describeIdentityProvider({ UserPoolId, ProviderName })).IdentityProvider
    assertNoDrift(await read(), { ProviderName, ProviderType: 'OIDC', ...settings })
    const changed = { ...settings, AttributeMapping: { email: 'mail', username: 'sub' } }
    await app.aws.updateIdentityProvider({ UserPoolId, ProviderName, ...changed })
    assertNoDrift(await read(), changed)
    await app.aws.deleteIdentityProvider({ UserPoolId, ProviderName })
    await assert.rejects(read(), { name: 'ResourceNotFoundException' })
  })

  test('a group', async () => {
    const GroupName = 'drift'
    const settings = { Description: 'before', Precedence: 5, RoleArn: 'arn:aws:iam::123456789012:role/group' }
    await app.aws.createGroup({ UserPoolId, GroupName, ...settings })
    const read = async () => (await app.aws.getGroup({ UserPoolId, GroupName })).Group
    assertNoDrift(await read(), { GroupName, ...settings })
    await app.aws.updateGroup({ UserPoolId, GroupName, Description: 'after', Precedence: 0 })
    assertNoDrift(await read(), { GroupName, ...settings, Description: 'after', Precedence: 0 })
    await app.aws.deleteGroup({ UserPoolId, GroupName })
    await assert.rejects(read(), { name: 'ResourceNotFoundException' })
  })

  test('a risk configuration', async () => {
    const RiskExceptionConfiguration = { BlockedIPRangeList: ['192.0.2.0/24'], SkippedIPRangeList: ['198.51.100.7/32'] }
    const CompromisedCredentialsRiskConfiguration = { Actions: { EventAction: 'BLOCK' as const } }
    await app.aws.setRiskConfiguration({
      UserPoolId,
      RiskExceptionConfiguration,
      CompromisedCredentialsRiskConfiguration,
    })
    const read = async () => (await app.aws.describeRiskConfiguration({ UserPoolId })).RiskConfiguration
    assertNoDrift(await read(), { RiskExceptionConfiguration, CompromisedCredentialsRiskConfiguration })
    const changed = { BlockedIPRangeList: ['203.0.113.0/24'] }
    await app.aws.setRiskConfiguration({
      UserPoolId,
      RiskExceptionConfiguration: changed,
      CompromisedCredentialsRiskConfiguration,
    })
    assertNoDrift(await read(), { RiskExceptionConfiguration: changed, CompromisedCredentialsRiskConfiguration })
  })

  describe('with a client', () => {
    let ClientId: string
    before(async () => {
      const { UserPoolClient } = await app.aws.createUserPoolClient({ UserPoolId, ClientName: 'branded' })
      ClientId = UserPoolClient?.ClientId ?? ''
    })

    test('a managed login branding', async () => {
      const Assets = [
        { Category: 'FORM_LOGO' as const, ColorMode: 'LIGHT' as const, Extension: 'PNG' as const, Bytes: png(64, 64) },
      ]
      const { ManagedLoginBranding } = await app.aws.createManagedLoginBranding({
        UserPoolId,
        ClientId,
        UseCognitoProvidedValues: true,
        Assets,
      })
      const ManagedLoginBrandingId = ManagedLoginBranding?.ManagedLoginBrandingId
      const read = async () =>
        (await app.aws.describeManagedLoginBranding({ UserPoolId, ManagedLoginBrandingId })).ManagedLoginBranding
      const first = await read()
      assert.equal(first?.UseCognitoProvidedValues, true)
      assert.deepEqual(new Uint8Array(first?.Assets?.[0]?.Bytes ?? []), new Uint8Array(png(64, 64)))
      await app.aws.updateManagedLoginBranding({
        UserPoolId,
        ManagedLoginBrandingId,
        UseCognitoProvidedValues: true,
        Assets: [],
      })
      assert.deepEqual((await read())?.Assets ?? [], [])
      await app.aws.deleteManagedLoginBranding({ UserPoolId, ManagedLoginBrandingId })
      await assert.rejects(read(), { name: 'ResourceNotFoundException' })
    })
  })
})
