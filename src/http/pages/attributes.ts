/** Fields for the attributes of users. */
import { attributeLengthMax } from '../../core/attributes.ts'
import { type FieldOptions, field } from './components.ts'
import type { Html } from './html.ts'
import type { Page } from './page.ts'
import type { TextKey } from './texts/index.ts'

interface AttributeInput {
  text: TextKey
  type?: NonNullable<FieldOptions['type']>
  autocomplete?: string
  hint?: TextKey
}

/** The standard attributes. A custom one has its own name for a label. */
const inputs: Record<string, AttributeInput | undefined> = {
  name: { text: 'attributeName', autocomplete: 'name' },
  given_name: { text: 'attributeGivenName', autocomplete: 'given-name' },
  family_name: { text: 'attributeFamilyName', autocomplete: 'family-name' },
  middle_name: { text: 'attributeMiddleName', autocomplete: 'additional-name' },
  nickname: { text: 'attributeNickname', autocomplete: 'nickname' },
  preferred_username: { text: 'attributePreferredUsername', autocomplete: 'nickname' },
  profile: { text: 'attributeProfile', type: 'url', autocomplete: 'url' },
  picture: { text: 'attributePicture', type: 'url', autocomplete: 'photo' },
  website: { text: 'attributeWebsite', type: 'url', autocomplete: 'url' },
  email: { text: 'email', type: 'email', autocomplete: 'email' },
  gender: { text: 'attributeGender', autocomplete: 'sex' },
  birthdate: { text: 'attributeBirthdate', type: 'date', autocomplete: 'bday' },
  zoneinfo: { text: 'attributeZoneinfo' },
  locale: { text: 'attributeLocale', autocomplete: 'language' },
  phone_number: { text: 'phoneNumber', type: 'tel', autocomplete: 'tel', hint: 'phoneNumberHint' },
  address: { text: 'attributeAddress', autocomplete: 'street-address' },
}

/** The name of the field for an attribute, as Cognito's own pages have it. */
export const attributeFieldName = (attribute: string): string => `requiredAttributes[${attribute}]`

export interface AttributeFieldOptions {
  name: string
  value?: string | undefined
  error?: string | undefined
  required?: boolean
}

export const attributeField = ({ texts }: Pick<Page, 'texts'>, options: AttributeFieldOptions): Html => {
  const { name, value, error, required = true } = options
  const { text, hint, type = 'text', autocomplete = 'on' }: Partial<AttributeInput> = inputs[name] ?? {}
  return field({
    name: attributeFieldName(name),
    id: `attribute-${name.replace(/[^\w-]/g, '-')}`,
    label: text === undefined ? bareName(name) : texts[text],
    type,
    autocomplete,
    maxLength: attributeLengthMax,
    required,
    ...(!required && { note: texts.optional }),
    hint: hint && texts[hint],
    value,
    error,
  })
}

const bareName = (name: string): string => name.replace(/^custom:/, '')

/** What the form says of attributes, without those that were left empty. */
export const suppliedAttributes = ({ form }: Pick<Page, 'form'>): { Name: string; Value: string }[] =>
  [...form].flatMap(([field, Value]) => {
    const [, Name] = /^requiredAttributes\[(.{1,64})\]$/.exec(field) ?? []
    return Name === undefined || Value === '' ? [] : [{ Name, Value }]
  })
