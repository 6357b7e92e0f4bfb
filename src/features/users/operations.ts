/** The operations on users, their attributes and their verification. */
import type { AttributeType } from '../../contract/types.ts'
import { readableAttributes } from '../../core/attributes.ts'
import { requestedAttributesMissing } from '../../core/errors.ts'
import { inTransaction, type Operations } from '../context.ts'
import { adminCreateUser } from '../sign-up/admin-create-user.ts'
import { signedIn } from '../tokens/signed-in.ts'
import { inPool } from '../user-pools/pool.ts'
import { changeAttributes, requestVerification, verifyAttribute } from './change-attributes.ts'
import { listUsers } from './list-users.ts'
import { setMfaOptions } from './mfa-options.ts'
import {
  deleteUser,
  getUserByName,
  presentAttributes,
  presentMfa,
  presentMfaOptions,
  presentUser,
  updateUser,
} from './user.ts'

export const userOperations = {
  AdminCreateUser: inPool(async (ctx, pool, input) => ({ User: presentUser(await adminCreateUser(ctx, pool, input)) })),

  AdminGetUser: inPool(async (ctx, pool, input) => {
    const user = await getUserByName(ctx, pool, input.Username)
    const { Attributes, ...rest } = presentUser(user)
    return { ...rest, Username: user.username, UserAttributes: Attributes, ...presentMfa(user) }
  }),

  ListUsers: inPool(async (ctx, pool, input) => {
    const page = { filter: input.Filter, token: input.PaginationToken, limit: input.Limit }
    const { users, nextToken } = await listUsers(ctx, pool, page)
    const wanted = input.AttributesToGet?.length ? new Set(input.AttributesToGet) : undefined
    const Users = users.map(user => presentUser(user, wanted && (name => wanted.has(name))))
    if (wanted !== undefined && Users.some(user => user.Attributes?.length !== wanted.size)) {
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
    await setMfaOptions(ctx, pool, await getUserByName(ctx, pool, input.Username), input.MFAOptions)
    return {}
  }),

  GetUser: signedIn(async (_ctx, { user, pool, client }) => {
    const readable = readableAttributes(client.settings, pool.settings.SchemaAttributes ?? [])
    return {
      Username: user.username,
      UserAttributes: presentAttributes(user, name => readable.has(name)),
      ...presentMfaOptions(user),
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

  DeleteUser: signedIn((ctx, { user }) => inTransaction(ctx, tx => deleteUser(tx, user))),

  GetUserAttributeVerificationCode: signedIn(async (ctx, { user, pool }, input) => ({
    CodeDeliveryDetails: await requestVerification(ctx, pool, user, input.AttributeName),
  })),

  VerifyUserAttribute: signedIn(async (ctx, { user, pool }, input) => {
    await verifyAttribute(ctx, pool, user, input.AttributeName, input.Code)
    return {}
  }),

  SetUserSettings: signedIn(async (ctx, { user, pool }, input) => {
    await setMfaOptions(ctx, pool, user, input.MFAOptions)
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

/** Removing an attribute is setting it to nothing. */
const removals = (names: readonly string[]): AttributeType[] => names.map(Name => ({ Name, Value: '' }))
