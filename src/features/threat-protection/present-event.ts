/** Events as callers see them: in the lists of the API, and in the log of user activity. */
import type { Selectable } from 'kysely'
import type {
  AuthEventType,
  ChallengeName,
  ChallengeResponse,
  EventResponseType,
  EventType,
  RiskDecisionType,
  RiskLevelType,
} from '../../contract/types.ts'
import type { Place } from '../../core/ports.ts'
import type { AuthEventRow } from '../../store/tables.ts'
import type { User } from '../users/user.ts'

/** What was asked of the user and how he answered. */
export type Challenges = readonly (readonly [ChallengeName, ChallengeResponse])[]

export const readPlace = (place: string | null): Place | undefined =>
  place === null ? undefined : (JSON.parse(place) as Place)

export const presentEvent = (row: Selectable<AuthEventRow>): AuthEventType => {
  const { city, country } = readPlace(row.place) ?? {}
  return {
    EventId: row.id,
    EventType: row.type as EventType,
    CreationDate: new Date(row.created_at),
    EventResponse: row.response as EventResponseType,
    EventRisk: {
      RiskDecision: row.decision as RiskDecisionType,
      ...(row.level !== null && { RiskLevel: row.level as RiskLevelType }),
      CompromisedCredentialsDetected: row.compromised === 1,
    },
    ChallengeResponses: (JSON.parse(row.challenges) as Challenges).map(([name, response]) => ({
      ChallengeName: name,
      ChallengeResponse: response,
    })),
    EventContextData: {
      ...(row.ip_address !== null && { IpAddress: row.ip_address }),
      ...(row.device_name !== null && { DeviceName: row.device_name }),
      ...(row.timezone !== null && { Timezone: row.timezone }),
      ...(city !== undefined && { City: city }),
      ...(country !== undefined && { Country: country }),
    },
    ...(row.feedback_value !== null && {
      EventFeedback: {
        FeedbackValue: row.feedback_value as 'Valid' | 'Invalid',
        Provider: row.feedback_provider ?? '',
        FeedbackDate: new Date(row.feedback_at ?? 0),
      },
    }),
  }
}

/**
 * The `message` of a record. Names and order of the members are those of Cognito's records; all values are texts, and what
 * is not known is empty. For a name that nobody has it names no user: people type passwords in its place.
 */
export const presentInLog = (row: Selectable<AuthEventRow>, user: Pick<User, 'id' | 'username'> | undefined) => {
  const { city, country } = readPlace(row.place) ?? {}
  return {
    version: '1',
    eventId: row.id,
    eventType: row.type,
    userSub: user?.id ?? '',
    userName: user?.username ?? '',
    userPoolId: row.pool_id,
    clientId: row.client_id,
    creationDate: javaDate(row.created_at),
    eventResponse: row.response,
    riskLevel: row.level ?? '',
    riskDecision: row.decision,
    challenges: (JSON.parse(row.challenges) as Challenges).map(([name, response]) => `${name}:${response}`),
    deviceName: row.device_name ?? '',
    ipAddress: row.ip_address ?? '',
    requestId: row.request_id,
    idpName: '',
    compromisedCredentialDetected: String(row.compromised === 1),
    city: city ?? '',
    country: country ?? '',
    eventFeedbackValue: row.feedback_value ?? '',
    eventFeedbackDate: row.feedback_at === null ? '' : javaDate(row.feedback_at),
    eventFeedbackProvider: row.feedback_provider ?? '',
    hasContextData: String(row.has_context_data === 1),
  }
}

/** `Wed Jul 17 17:25:55 UTC 2024`. */
const javaDate = (at: number): string => {
  const [day = '', date = '', month = '', year = '', time = ''] = new Date(at).toUTCString().replace(',', '').split(' ')
  return `${day} ${month} ${date} ${time} UTC ${year}`
}
