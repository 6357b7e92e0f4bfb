/** The operations on users, their attributes and their verification. */
import type { AttributeType, GetUserResponse } from '../../contract/types.ts'
import { readableAttributes } from '../../core/attributes.ts'
import { requestedAttributesMissing } from '../../core/errors.ts'
import { inTransaction, type Operations } from '../context.ts'
import { signedIn } from '../tokens/signed-in.ts'
import { inPool } from '../user-pools/pool.ts'
import { adminCreateUser } from './admin-create-user.ts'
import { changeAttributes, requestVerification, verifyAttribute } from './change-attributes.ts'
import { listUsers } from './list-users.ts'
import { deleteUser, getUserByName, presentAttributes, presentUser, updateUser, type User } from './user.ts'

export const userOperations = {
  AdminCreateUser: inPool(async (ctx, pool, input) => ({ User: presentUser(await adminCreateUser(ctx, pool, input)) })),

  AdminGetUser: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    const { Attributes, Username: _username, ...rest } = presentUser(user)
    return { Username: user.username, UserAttributes: Attributes, ...rest, ...presentMfa(user) }
  }),

  ListUsers: inPool(async (ctx, pool, input) => {
    const page = { filter: input.Filter, token: input.PaginationToken, limit: input.Limit }
    const { users, nextToken } = await listUsers(ctx, pool, page)
    const wanted = input.AttributesToGet && new Set(input.AttributesToGet)
    const Users = users.map(user => presentUser(user, wanted && (name => wanted.has(name))))
    if (wanted !== undefined && Users.some(({ Attributes }) => (Attributes ?? []).length < wanted.size)) {
      throw requestedAttributesMissing()
    }
    return { Users, PaginationToken: nextToken }
  }),

  AdminUpdateUserAttributes: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    await changeAttributes(ctx, pool, user, input.UserAttributes, 'administrator')
    return {}
  }),

  AdminDeleteUserAttributes: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    await changeAttributes(ctx, pool, user, removals(input.UserAttributeNames), 'administrator')
    return {}
  }),

  AdminDeleteUser: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    await inTransaction(ctx, tx => deleteUser(tx, user))
  }),

  AdminEnableUser: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    if (!user.enabled) await inTransaction(ctx, tx => updateUser(tx, user, { enabled: true }))
    return {}
  }),

  AdminDisableUser: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    if (user.enabled) await inTransaction(ctx, tx => updateUser(tx, user, { enabled: false, endSessions: true }))
    return {}
  }),

  AdminSetUserSettings: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    await inTransaction(ctx, tx => updateUser(tx, user, { mfa: { ...user.mfa, mfaOptions: input.MFAOptions } }))
    return {}
  }),

  GetUser: signedIn(async (_ctx, { user, pool, client }): Promise<GetUserResponse> => {
    const readable = readableAttributes(client.settings, pool.settings.SchemaAttributes ?? [])
    return {
      Username: user.username,
      UserAttributes: presentAttributes(user, name => readable.has(name)),
      ...(user.mfa.mfaOptions !== undefined && user.mfa.mfaOptions.length > 0 && { MFAOptions: user.mfa.mfaOptions }),
      ...presentMfa(user),
    }
  }),

  UpdateUserAttributes: signedIn(async (ctx, { user, pool, client }, input) => {
    const sent = await changeAttributes(ctx, pool, user, input.UserAttributes, { client })
    return sent.length === 0 ? {} : { CodeDeliveryDetailsList: sent }
  }),

  DeleteUserAttributes: signedIn(async (ctx, { user, pool, client }, input) => {
    await changeAttributes(ctx, pool, user, removals(input.UserAttributeNames), { client })
    return {}
  }),

  DeleteUser: signedIn(async (ctx, { user }) => inTransaction(ctx, tx => deleteUser(tx, user))),

  GetUserAttributeVerificationCode: signedIn(async (ctx, { user, pool }, input) => ({
    CodeDeliveryDetails: await requestVerification(ctx, pool, user, input.AttributeName),
  })),

  VerifyUserAttribute: signedIn(async (ctx, { user, pool }, input) => {
    await verifyAttribute(ctx, pool, user, input.AttributeName, input.Code)
    return {}
  }),

  SetUserSettings: signedIn(async (ctx, { user }, input) => {
    await inTransaction(ctx, tx => updateUser(tx, user, { mfa: { ...user.mfa, mfaOptions: input.MFAOptions } }))
    return {}
  }),
} satisfies Operations<
  | 'AdminCreateUser'
  | 'AdminGetUser'
  | 'ListUsers'
  | 'AdminUpdateUserAttributes'
  | 'AdminDeleteUserAttributes'
  | 'AdminDeleteUser'
  | 'AdminEnableUser'
  | 'AdminDisableUser'
  | 'AdminSetUserSettings'
  | 'GetUser'
  | 'UpdateUserAttributes'
  | 'DeleteUserAttributes'
  | 'DeleteUser'
  | 'GetUserAttributeVerificationCode'
  | 'VerifyUserAttribute'
  | 'SetUserSettings'
>

const presentMfa = ({ mfa }: User) => ({
  ...(mfa.preferred !== undefined && { PreferredMfaSetting: mfa.preferred }),
  ...(mfa.enabled !== undefined && mfa.enabled.length > 0 && { UserMFASettingList: mfa.enabled }),
})

/** Removing an attribute is setting it to nothing. */
const removals = (names: readonly string[]): AttributeType[] => names.map(Name => ({ Name, Value: '' }))
