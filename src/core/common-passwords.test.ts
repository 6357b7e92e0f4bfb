import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonPasswordCount, isCommonPassword } from './common-passwords.ts'

test('common passwords are known in any capitalisation, with the usual endings and signs', () => {
  for (const password of [
    'password',
    'Password1',
    'Passw0rd!',
    'P@ssw0rd',
    'P@$$w0rd123',
    'Welcome1!',
    'Summer2024!',
    'Winter@2025',
    'QWERTY123',
    'Qwerty123!',
    'letmein',
    'Adm1n123!',
    'Iloveyou1!',
    '123456',
    '1q2w3e4r',
    'Ch@ngeme1',
  ]) {
    assert.ok(isCommonPassword(password), password)
  }
})

test('other passwords are not', () => {
  for (const password of [
    '',
    'correct horse battery staple',
    'xK9#mQ2$vL',
    'Password!Monkey',
    'Summer2024!x',
    'passwordpasswordpassword',
    'Zebra-Crossing-4471',
    'a'.repeat(256),
    `password${' '.repeat(300)}`,
  ]) {
    assert.ok(!isCommonPassword(password), password)
  }
})

test('the list has the size that its documentation tells', () => {
  assert.ok(commonPasswordCount > 300_000)
})
