import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskDestination, maskEmail, maskPhoneNumber } from './masks.ts'

test('an e-mail address shows two characters', () => {
  const table: [string, string][] = [
    ['test@test.com', 't***@t***'],
    ['foo@example.co.uk', 'f***@e***'],
    ['a@b', 'a***@b***'],
    ['😀x@example.com', '😀***@e***'],
  ]
  for (const [email, expected] of table) assert.equal(maskEmail(email), expected)
})

test('a phone number shows its last four digits, unless it has no more than those', () => {
  const table: [string, string][] = [
    ['+12065551234', '+*******1234'],
    ['+4915112345678', '+*********5678'],
    ['+12345', '+*2345'],
    ['+1234', '+****'],
    ['+12', '+**'],
  ]
  for (const [phoneNumber, expected] of table) assert.equal(maskPhoneNumber(phoneNumber), expected)
})

test('the attribute decides which mask applies', () => {
  assert.equal(maskDestination('email', 'test@test.com'), 't***@t***')
  assert.equal(maskDestination('phone_number', '+12065551234'), '+*******1234')
})
