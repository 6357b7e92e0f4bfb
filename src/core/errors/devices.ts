/** What callers are told about devices. */
import { CognitoError, invalidParameter, resourceNotFound } from '../errors.ts'

/** Clients know this text: they forget the device and go on without it. */
export const deviceNotFound = () => resourceNotFound('Device does not exist.')
export const invalidDeviceKey = () => invalidParameter('Invalid device key given.')
/** The wording is not published. */
export const deviceKeyExists = () => new CognitoError('DeviceKeyExistsException', 'Device already exists.')
/** The wording is not published. */
export const invalidDeviceVerifier = () => invalidParameter('Invalid device secret verifier given.')
/** The wording is not published. */
export const devicesNotTracked = () =>
  new CognitoError('InvalidUserPoolConfigurationException', 'Device tracking is not enabled for the user pool.')
