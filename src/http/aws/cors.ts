/** The preflight answer that browsers' SDKs need. No credentials are ever allowed: the API uses no cookies. */

const allowedHeaders =
  'authorization,cache-control,content-type,x-amz-content-sha256,x-amz-date,x-amz-security-token,x-amz-target,' +
  'x-amz-user-agent,amz-sdk-invocation-id,amz-sdk-request,amz-sdk-retry'

/** The requested headers are echoed when they are header names, because applications may add their own. */
export const preflight = (requested: string | undefined): Response =>
  new Response('', {
    status: 200,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST, GET, OPTIONS',
      'access-control-allow-headers':
        requested !== undefined && requested.length <= 2_048 && /^[\w\-, ]+$/.test(requested)
          ? requested
          : allowedHeaders,
      'access-control-max-age': '172800',
      'access-control-expose-headers': 'x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date',
    },
  })
