/**
 * The AWS JSON face: one POST for all operations. Translation only: who calls, which operation, wire JSON to checked
 * input, output or error back to wire JSON.
 */
import { decodeInput, encodeOutput, parseJson, violationMessage } from '../../contract/codec.ts'
import { operations as model } from '../../contract/model.ts'
import type { ContextDataType, OperationName, UserContextDataType } from '../../contract/types.ts'
import {
  CognitoError,
  internalError,
  invalidParameter,
  malformedText,
  serializationFailure,
  unknownOperation,
} from '../../core/errors.ts'
import type { Caller, ClaimedOrigin, Context, Services } from '../../features/context.ts'
import { countRequest } from '../../features/limits.ts'
import { operations } from '../../features/operations.ts'
import { assertOfferedInRegion } from '../../features/regions.ts'
import { resourceOf } from '../../features/resources.ts'
import type { Authenticator, RawRequest } from './authentication.ts'
import { errorBody, errorHeaders, statusOf } from './errors.ts'

const targetPrefix = 'AWSCognitoIdentityProviderService.'
const contentType = 'application/x-amz-json-1.1'
const targetLengthMax = 256

/** What the face needs of one HTTP request. */
export interface AwsRequest extends RawRequest {
  header(name: string): string | undefined
  requestId: string
  publicUrl: string
  sourceIp: string | undefined
}

export interface AwsResponse {
  status: number
  headers: Record<string, string>
  body: string
}

/** Headers of every answer, so that browsers' SDKs can read it. */
const commonHeaders = (requestId: string): Record<string, string> => ({
  'content-type': contentType,
  'x-amzn-requestid': requestId,
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
})

/** Answers one POST. Never throws. */
export const handleAws = async (
  services: Services,
  authenticator: Authenticator,
  request: AwsRequest,
): Promise<AwsResponse> => {
  const headers = commonHeaders(request.requestId)
  let operation = ''
  try {
    const name = operationName(request)
    operation = name
    return { status: 200, headers, body: await run(services, authenticator, request, name) }
  } catch (thrown) {
    const error = asCognitoError(services, request, operation, thrown)
    return { status: statusOf(error), headers: { ...headers, ...errorHeaders(error) }, body: errorBody(error) }
  }
}

const operationName = (request: AwsRequest): OperationName => {
  const target = request.header('x-amz-target')
  if (target === undefined || target.length > targetLengthMax || !target.startsWith(targetPrefix))
    throw unknownOperation()
  if (mediaType(request.header('content-type')) !== contentType) throw unknownOperation()
  const encoding = request.header('content-encoding')
  if (encoding !== undefined && encoding !== 'identity')
    throw serializationFailure('Compressed bodies are not accepted.')
  const name = target.slice(targetPrefix.length)
  if (!Object.hasOwn(model, name)) throw unknownOperation()
  return name as OperationName
}

/** The media type when its only parameter, if any, is charset=utf-8. */
const mediaType = (header: string | undefined): string | undefined => {
  const [type = '', parameter, ...more] = (header ?? '').split(';')
  const utf8 = parameter === undefined || /^\s*charset="?utf-8"?\s*$/i.test(parameter)
  return utf8 && more.length === 0 ? type.trim().toLowerCase() : undefined
}

const run = async (
  services: Services,
  authenticator: Authenticator,
  request: AwsRequest,
  name: OperationName,
): Promise<string> => {
  const caller = authenticator.authenticate(model[name], request)
  const json = parseJson(request.body)
  if ('serialization' in json) throw serializationFailure(json.serialization)
  const decoded = decodeInput(name, json.value)
  if ('serialization' in decoded) throw serializationFailure(decoded.serialization)
  if ('invalid' in decoded) throw malformedText()
  if ('violations' in decoded) throw invalidParameter(violationMessage(decoded.violations))
  const ctx: Context = {
    ...services,
    requestId: request.requestId,
    region: caller.region ?? services.settings.region,
    publicUrl: request.publicUrl,
    sourceIp: request.sourceIp,
    userAgent: request.header('user-agent'),
    caller: callerOf(decoded.input),
    claimed: claimedOriginOf(decoded.input, model[name].auth === 'sigv4'),
  }
  if (model[name].auth === 'sigv4') {
    const resource = await resourceOf(ctx, decoded.input)
    caller.authorize(name, resource.arn, {
      sourceIp: request.sourceIp,
      now: services.clock.now(),
      region: ctx.region,
      resourceTags: resource.tags,
      requestTags: resource.requestTags,
      tagKeys: resource.tagKeys,
      secureTransport: request.publicUrl.startsWith('https:'),
    })
  }
  await assertOfferedInRegion(ctx, name, decoded.input, caller.region)
  await countRequest(ctx, name, decoded.input)
  const operation = operations[name] as (ctx: Context, input: unknown) => Promise<unknown>
  return encodeOutput(name, await operation(ctx, decoded.input))
}

const callerOf = (input: unknown): Caller => {
  const { ClientId, ClientMetadata } = input as { ClientId?: string; ClientMetadata?: Record<string, string> }
  return { clientId: ClientId, clientMetadata: ClientMetadata }
}

/** ContextData of the operations that AWS signs, UserContextData of the others. */
const claimedOriginOf = (input: unknown, isServer: boolean): ClaimedOrigin => {
  const { ContextData, UserContextData } = input as {
    ContextData?: ContextDataType
    UserContextData?: UserContextDataType
  }
  const data = isServer ? ContextData : UserContextData
  const userAgent = ContextData?.HttpHeaders.find(({ headerName }) => headerName?.toLowerCase() === 'user-agent')
  return {
    isServer,
    ipAddress: data?.IpAddress,
    encodedData: data?.EncodedData,
    userAgent: isServer ? userAgent?.headerValue : undefined,
  }
}

/** What callers may see of a failure; everything else is logged with its cause and shown without detail. */
const asCognitoError = (services: Services, request: AwsRequest, operation: string, thrown: unknown): CognitoError => {
  if (thrown instanceof CognitoError) return thrown
  services.log.error({ requestId: request.requestId, operation, cause: thrown }, 'request failed')
  return internalError(request.requestId)
}
