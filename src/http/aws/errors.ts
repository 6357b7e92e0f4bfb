/** Errors on the AWS JSON face: status, body and the two error headers (AWS JSON 1.1). */
import type { CognitoError } from '../../core/errors.ts'

/** Client faults are 400 on the wire, whatever the SDK's model says of 403, 404 or 429. */
export const statusOf = (error: CognitoError): 400 | 403 | 500 => {
  if (error.name === 'InternalErrorException' || error.name === 'InternalServerException') return 500
  if (error.name === 'ForbiddenException') return 403
  return 400
}

/** The body: bare exception name, message, and the reason code where there is one. */
export const errorBody = (error: CognitoError): string =>
  JSON.stringify({
    __type: error.name,
    ...(error.message !== '' && { message: error.message }),
    ...(error.reasonCode !== undefined && { reasonCode: error.reasonCode }),
  })

/** The two headers that SDKs read; a header cannot carry line breaks or characters beyond Latin-1. */
export const errorHeaders = (error: CognitoError): Record<string, string> => ({
  'x-amzn-errortype': `${error.name}:`,
  'x-amzn-errormessage': error.message
    .replace(/[^\x20-\x7e]+/g, ' ')
    .slice(0, 1_024)
    .trim(),
})
