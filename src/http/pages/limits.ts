/** The limits and constraints of the API, which hold for the pages as well. */
import { decodeInput, violationMessage } from '../../contract/codec.ts'
import type { OperationInputs, OperationName } from '../../contract/types.ts'
import { invalidParameter, malformedText } from '../../core/errors.ts'
import { countRequest } from '../../features/limits.ts'
import type { Page } from './page.ts'

/**
 * Checks the input as that of the operation, whose client is the page's, and counts it. A password is left to the
 * feature, which says more about it than the model does.
 * @throws InvalidParameterException, TooManyRequestsException
 */
export const counted = async <Name extends OperationName>(
  { ctx, client }: Pick<Page, 'ctx' | 'client'>,
  operation: Name,
  given: Omit<OperationInputs[Name], 'ClientId'>,
): Promise<OperationInputs[Name]> => {
  const input = { ...given, ClientId: client.id } as OperationInputs[Name]
  const decoded = decodeInput(operation, input)
  if ('invalid' in decoded || 'serialization' in decoded) throw malformedText()
  const violations = 'violations' in decoded ? decoded.violations.filter(text => !text.includes("at 'password'")) : []
  if (violations.length > 0) throw invalidParameter(violationMessage(violations))
  await countRequest(ctx, operation, input)
  return input
}
