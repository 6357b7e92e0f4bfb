/**
 * Who calls an operation of the AWS face, and what the policy of the access key lets him do. Access tokens are not
 * looked at here: they are part of the input, and the operations that take one verify it.
 */
import { deniedByPolicy, notAllowedByPolicy } from '../../core/errors.ts'
import { evaluatePolicy, type Policy, type RequestContext } from '../../core/iam-policy.ts'
import type { Clock } from '../../core/ports.ts'
import { findClaimedSigner, type SignedRequest, verifySignature } from '../../core/sigv4.ts'

/** An HTTP request before anything decoded, merged or normalised it. */
export type RawRequest = SignedRequest

export interface AuthenticatorOptions {
  /** Without any key every well-formed signature is accepted, and everybody may do everything. */
  accessKeys: readonly { readonly id: string; readonly secret: string; readonly policy?: Policy | undefined }[]
  /** The twelve digits of the account in ARNs. */
  account: string
  clock: Clock
}

export interface Caller {
  /** The key that signed; absent for operations that need no signature, whatever the request carries. */
  accessKeyId?: string
  /** The region in the scope of the signature; absent without a well-formed one. */
  region?: string
  /**
   * Returns when the caller's policy allows the operation on the resource.
   *
   * `operation` is the name of an operation, or an action with its service before a colon. The caller's own condition
   * keys, the time and the region are filled in here. Throws AccessDeniedException.
   */
  authorize: (operation: string, resourceArn: string, context: RequestContext) => void
}

export interface Authenticator {
  /**
   * Says who calls. An operation that needs no signature takes nothing but the region from one, so a wrong signature
   * neither harms nor helps there.
   *
   * Throws MissingAuthenticationTokenException, IncompleteSignatureException, InvalidSignatureException or
   * UnrecognizedClientException, for operations that need a signature only.
   */
  authenticate: (operation: { auth: 'sigv4' | 'none' }, request: RawRequest) => Caller
}

const service = 'cognito-idp'

/** The authenticator for these keys. */
export const createAuthenticator = (options: AuthenticatorOptions): Authenticator => {
  const keys = new Map(options.accessKeys.map(key => [key.id, key]))
  const mode = keys.size === 0 ? 'form-only' : 'verify'
  return {
    authenticate: (operation, request) => {
      if (operation.auth === 'none') {
        const claimed = findClaimedSigner(request, service)
        return { ...(claimed && { region: claimed.region }), authorize: () => {} }
      }
      const now = options.clock.now()
      const { accessKeyId, region } = verifySignature(request, { findKey: id => keys.get(id), now, service, mode })
      const policy = keys.get(accessKeyId)?.policy
      if (policy === undefined) return { accessKeyId, region, authorize: () => {} }
      const user = `arn:aws:iam::${options.account}:user/${accessKeyId}`
      const principal = {
        username: accessKeyId,
        userid: accessKeyId,
        principalArn: user,
        principalAccount: options.account,
      }
      return {
        accessKeyId,
        region,
        authorize: (name, resource, context) =>
          checkPolicy(policy, user, name, resource, { ...context, ...principal, now, region }),
      }
    },
  }
}

const checkPolicy = (policy: Policy, user: string, name: string, resource: string, context: RequestContext): void => {
  const action = name.includes(':') ? name : `${service}:${name}`
  const decision = evaluatePolicy(policy, { action, resource, context })
  if (decision === 'ImplicitDeny') throw notAllowedByPolicy(user, action, resource)
  const broader = deniedWith.get(action)
  const broaderDecision = broader && evaluatePolicy(policy, { action: broader, resource, context })
  if (decision === 'ExplicitDeny' || broaderDecision === 'ExplicitDeny') throw deniedByPolicy(user, action, resource)
}

/** Actions that an explicit deny of another action denies as well. */
const deniedWith: ReadonlyMap<string, string> = new Map([
  ['cognito-idp:DescribeTermsByClient', 'cognito-idp:DescribeTerms'],
])
