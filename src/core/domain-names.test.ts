import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkCustomDomain, checkDomainPrefix, domainNamesOfHost, hostOfPrefix } from './domain-names.ts'

const invalidName = {
  name: 'InvalidParameterException',
  message:
    'The domain name contains an invalid character. Domain names can only contain lower-case letters, numbers, and hyphens. Please enter a different name that follows this format: ^[a-z0-9](?:[a-z0-9\\-]{0,61}[a-z0-9])?$',
}
const reserved = (word: string) => ({
  name: 'InvalidParameterException',
  message: `Domain cannot contain reserved word: ${word}`,
})
const notSubdomain = {
  name: 'InvalidParameterException',
  message:
    'Custom domain is not a valid subdomain: Was not able to resolve the root domain, please ensure an A record exists for the root domain.',
}
const belowParent = (parent: string) => ({
  name: 'InvalidParameterException',
  message: `Custom domain is not a valid subdomain: The names directly below ${parent} belong to domain prefixes.`,
})

describe('a prefix', () => {
  for (const prefix of ['a', '7', 'my-app', 'a--b', '1-2', 'a'.repeat(63), 'ama-zon', 'xn--p1ai']) {
    test(`can be ${prefix}`, () => checkDomainPrefix(prefix))
  }
  for (const [prefix, error] of [
    ['', invalidName],
    ['My-app', invalidName],
    ['my_app', invalidName],
    ['my app', invalidName],
    ['app\n', invalidName],
    ['-app', invalidName],
    ['app-', invalidName],
    ['app.example', invalidName],
    ['ä', invalidName],
    ['a'.repeat(64), invalidName],
    ['aws', reserved('aws')],
    ['my-aws-app', reserved('aws')],
    ['flaws', reserved('aws')],
    ['amazonas', reserved('amazon')],
    ['incognito', reserved('cognito')],
  ] as const) {
    test(`cannot be ${JSON.stringify(prefix)}`, () => assert.throws(() => checkDomainPrefix(prefix), error))
  }
})

describe('a custom domain', () => {
  const publicUrl = 'https://id.example.com'
  for (const name of [
    'auth.example.com',
    'example.com',
    'id.example.com',
    'a.b.id.example.com',
    'auth.app.localhost',
    'cognito.aws.example',
    '1.2.3.4.example',
  ]) {
    test(`can be ${name}`, () => checkCustomDomain(name, publicUrl))
  }
  for (const [name, error] of [
    ['example', notSubdomain],
    ['localhost', notSubdomain],
    ['127.0.0.1', notSubdomain],
    ['', invalidName],
    ['auth.example.com.', invalidName],
    ['.example.com', invalidName],
    ['auth..example', invalidName],
    ['Auth.example.com', invalidName],
    ['*.example.com', invalidName],
    ['auth.example.com:443', invalidName],
    ['https://auth.example.com', invalidName],
    [`${'a'.repeat(64)}.example`, invalidName],
    [`${'a.'.repeat(126)}aa`, invalidName],
    ['shop.localhost', belowParent('localhost')],
    ['shop.id.example.com', belowParent('id.example.com')],
  ] as const) {
    test(`cannot be ${JSON.stringify(name)}`, () => assert.throws(() => checkCustomDomain(name, publicUrl), error))
  }
})

describe('the host of a request', () => {
  for (const [host, names] of [
    ['shop.localhost:9229', ['shop.localhost', 'shop']],
    ['shop.localhost', ['shop.localhost', 'shop']],
    ['SHOP.LocalHost:80', ['shop.localhost', 'shop']],
    ['shop.localhost.:9229', ['shop.localhost', 'shop']],
    ['shop.id.example.com', ['shop.id.example.com', 'shop']],
    ['a.shop.id.example.com', ['a.shop.id.example.com']],
    ['auth.example.com', ['auth.example.com']],
    ['id.example.com', ['id.example.com']],
    ['localhost:9229', []],
    ['shop', []],
    ['', []],
    ['[::1]:9229', []],
    ['shop..localhost', []],
    ['.localhost', []],
    ['a@shop.localhost', []],
    ['shop.localhost/x', []],
    ['shop.localhost:9229:1', []],
    [`${'a.'.repeat(5_000)}localhost`, []],
  ] as const) {
    test(`${host.slice(0, 40)} stands for ${names.join(' or ') || 'no domain'}`, () => {
      assert.deepEqual(domainNamesOfHost(host, 'https://id.example.com'), names)
    })
  }
})

describe('the host of a prefix', () => {
  for (const [publicUrl, host] of [
    ['http://localhost:9229', 'my-app.localhost'],
    ['http://127.0.0.1:9229', 'my-app.localhost'],
    ['http://[::1]:9229', 'my-app.localhost'],
    ['https://auth.example.com', 'my-app.auth.example.com'],
    ['https://auth.example.com:8443', 'my-app.auth.example.com'],
  ] as const) {
    test(`is ${host} at ${publicUrl}`, () => {
      assert.equal(hostOfPrefix('my-app', publicUrl), host)
      assert.ok(domainNamesOfHost(host, publicUrl).includes('my-app'))
    })
  }
})
