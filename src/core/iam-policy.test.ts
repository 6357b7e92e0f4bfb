import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cpuMsOf } from '../../test/support/cpu-time.ts'
import { type Decision, evaluatePolicy, isAllowed, parsePolicy, type RequestContext } from './iam-policy.ts'

const pool = 'arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abcdefghi'
const otherPool = 'arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_zzzzzzzzz'

const decide = (
  statements: object | object[],
  action = 'cognito-idp:ListUsers',
  resource = pool,
  context: RequestContext = {},
): Decision =>
  evaluatePolicy(parsePolicy({ Version: '2012-10-17', Statement: statements }), { action, resource, context })

const allow = { Effect: 'Allow', Action: 'cognito-idp:*', Resource: '*' }

describe('the decision', () => {
  const denyDelete = { Effect: 'Deny', Action: 'cognito-idp:AdminDelete*', Resource: '*' }
  const cases: [statements: object | object[], action: string, resource: string, decision: Decision][] = [
    [allow, 'cognito-idp:ListUsers', pool, 'Allow'],
    [allow, 'cenote:ListMessages', pool, 'ImplicitDeny'],
    [[allow, denyDelete], 'cognito-idp:AdminDeleteUser', pool, 'ExplicitDeny'],
    [[denyDelete, allow], 'cognito-idp:AdminDeleteUser', pool, 'ExplicitDeny'],
    [[denyDelete, allow], 'cognito-idp:AdminGetUser', pool, 'Allow'],
    [denyDelete, 'cognito-idp:AdminGetUser', pool, 'ImplicitDeny'],
    [{ ...allow, Resource: pool }, 'cognito-idp:ListUsers', pool, 'Allow'],
    [{ ...allow, Resource: pool }, 'cognito-idp:ListUsers', otherPool, 'ImplicitDeny'],
    [{ ...allow, Resource: [otherPool, pool] }, 'cognito-idp:ListUsers', pool, 'Allow'],
    [[allow, { Effect: 'Deny', Action: '*', NotResource: pool }], 'cognito-idp:ListUsers', pool, 'Allow'],
    [[allow, { Effect: 'Deny', Action: '*', NotResource: pool }], 'cognito-idp:ListUsers', otherPool, 'ExplicitDeny'],
    [
      { Effect: 'Allow', NotAction: ['cognito-idp:Delete*', 'iam:*'], Resource: '*' },
      'cognito-idp:ListUsers',
      pool,
      'Allow',
    ],
    [
      { Effect: 'Allow', NotAction: ['cognito-idp:Delete*', 'iam:*'], Resource: '*' },
      'cognito-idp:DeleteGroup',
      pool,
      'ImplicitDeny',
    ],
  ]
  for (const [statements, action, resource, decision] of cases) {
    test(`is ${decision} for ${action} on ${resource} under ${JSON.stringify(statements)}`, () => {
      assert.equal(decide(statements, action, resource), decision)
    })
  }

  test('only Allow is allowed', () => {
    const request = { action: 'cognito-idp:ListUsers', resource: pool, context: {} }
    assert.equal(isAllowed(parsePolicy({ Version: '2012-10-17', Statement: [allow] }), request), true)
    assert.equal(
      isAllowed(parsePolicy({ Version: '2012-10-17', Statement: [{ ...allow, Effect: 'Deny' }] }), request),
      false,
    )
    assert.equal(
      isAllowed(parsePolicy({ Version: '2012-10-17', Statement: [allow] }), { ...request, action: 'iam:X' }),
      false,
    )
  })
})

describe('actions', () => {
  const cases: [pattern: string, action: string, matches: boolean][] = [
    ['*', 'cognito-idp:ListUsers', true],
    ['cognito-idp:ListUsers', 'cognito-idp:ListUsers', true],
    ['COGNITO-IDP:listusers', 'cognito-idp:ListUsers', true],
    ['cognito-idp:ListUsers', 'cognito-idp:ListUsersInGroup', false],
    ['cognito-idp:ListUsers*', 'cognito-idp:ListUsersInGroup', true],
    ['cognito-idp:*Users', 'cognito-idp:ListUsersInGroup', false],
    ['cognito-idp:*User?', 'cognito-idp:ListUsers', true],
    ['cognito-idp:?istUser?', 'cognito-idp:ListUsers', true],
    ['cognito-idp:ListUser??', 'cognito-idp:ListUsers', false],
    ['cognito-*:List*', 'cognito-idp:ListUsers', true],
    ['cognito-identity:*', 'cognito-idp:ListUsers', false],
    ['cognito-idp:Admin*User*', 'cognito-idp:AdminDisableUserX', true],
    ['*:*', 'cognito-idp:ListUsers', true],
  ]
  for (const [Action, action, matches] of cases) {
    test(`${Action} ${matches ? 'matches' : 'does not match'} ${action}`, () => {
      assert.equal(decide({ ...allow, Action }, action), matches ? 'Allow' : 'ImplicitDeny')
    })
  }
})

describe('resources', () => {
  const cases: [pattern: string, resource: string, matches: boolean][] = [
    ['*', pool, true],
    ['*', '*', true],
    [pool, '*', false],
    ['arn:aws:cognito-idp:*:*:userpool/*', pool, true],
    ['arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_*', pool, true],
    ['arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abcdefgh?', pool, true],
    ['arn:aws:cognito-idp:us-east-1:000000000000:userpool/US-EAST-1_ABCDEFGHI', pool, false],
    ['arn:aws:cognito-idp:eu-west-1:*:userpool/*', pool, false],
    ['arn:aws:cognito-idp:*', pool, true],
    ['arn:*', pool, true],
    [
      'arn:aws:cognito-idp:us-east-1:000000000000:userpool/*',
      'arn:aws:cognito-idp:us-east-1:000000000000:userpool/*',
      true,
    ],
    [pool, 'arn:aws:cognito-idp:us-east-1:000000000000:userpool/*', false],
  ]
  for (const [Resource, resource, matches] of cases) {
    test(`${Resource} ${matches ? 'matches' : 'does not match'} ${resource}`, () => {
      assert.equal(decide({ ...allow, Resource }, undefined, resource), matches ? 'Allow' : 'ImplicitDeny')
    })
  }

  test('a hostile pattern and a long text meet in no time', () => {
    const pattern = `arn:*${'a'.repeat(1_000)}*${'a'.repeat(1_000)}b`
    const resource = `arn:${'a'.repeat(5_000)}`
    const judge = () => assert.equal(decide({ ...allow, Resource: pattern }, undefined, resource), 'ImplicitDeny')
    assert.ok(cpuMsOf(judge) < 1_000)
  })
})

describe('conditions', () => {
  const now = Date.UTC(2026, 10, 20, 12)
  const context: RequestContext = {
    now,
    region: 'us-east-1',
    sourceIp: '10.1.2.3',
    secureTransport: false,
    userAgent: 'aws-cli/2.0',
    resourceTags: { Team: 'blue', stage: 'test', weight: '7' },
    requestTags: { Team: 'red', owner: 'ann' },
    username: 'AKIDEXAMPLE',
    userid: 'AKIDEXAMPLE',
    principalArn: 'arn:aws:iam::000000000000:user/AKIDEXAMPLE',
    principalAccount: '000000000000',
  }
  const holds = (condition: object, given: RequestContext = context): boolean => {
    const statement = { ...allow, Condition: condition }
    return decide(statement, undefined, undefined, given) === 'Allow'
  }

  const cases: [operator: string, key: string, value: unknown, holds: boolean][] = [
    ['StringEquals', 'aws:ResourceTag/Team', 'blue', true],
    ['StringEquals', 'aws:ResourceTag/Team', 'Blue', false],
    ['StringEquals', 'aws:ResourceTag/Team', ['red', 'blue'], true],
    ['StringEquals', 'AWS:resourcetag/team', 'blue', true],
    ['StringEquals', 'aws:ResourceTag/absent', 'blue', false],
    ['StringEquals', 'aws:ResourceTag/__proto__', 'blue', false],
    ['StringEquals', 'aws:ResourceTag/toString', 'blue', false],
    ['StringEquals', 'aws:unknown', 'blue', false],
    ['StringEquals', 'constructor', 'blue', false],
    ['StringEqualsIfExists', 'aws:ResourceTag/Team', 'red', false],
    ['StringEqualsIfExists', 'aws:ResourceTag/absent', 'red', true],
    ['StringNotEquals', 'aws:ResourceTag/Team', 'blue', false],
    ['StringNotEquals', 'aws:ResourceTag/Team', ['red', 'blue'], false],
    ['StringNotEquals', 'aws:ResourceTag/Team', ['red', 'green'], true],
    ['StringNotEquals', 'aws:ResourceTag/absent', 'blue', true],
    ['StringEqualsIgnoreCase', 'aws:ResourceTag/Team', 'BLUE', true],
    ['StringNotEqualsIgnoreCase', 'aws:ResourceTag/Team', 'BLUE', false],
    ['StringLike', 'aws:ResourceTag/Team', 'b*e', true],
    ['StringLike', 'aws:ResourceTag/Team', 'b?e', false],
    ['StringLike', 'aws:ResourceTag/absent', '*', false],
    ['StringNotLike', 'aws:ResourceTag/Team', 'b*', false],
    ['StringNotLike', 'aws:ResourceTag/Team', 'r*', true],
    ['StringEquals', 'aws:RequestTag/Team', 'red', true],
    ['StringEquals', 'aws:RequestedRegion', ['eu-west-1', 'us-east-1'], true],
    ['StringEquals', 'aws:username', 'AKIDEXAMPLE', true],
    ['StringEquals', 'aws:userid', 'AKIDEXAMPLE', true],
    ['StringEquals', 'aws:PrincipalAccount', '000000000000', true],
    ['StringLike', 'aws:UserAgent', 'aws-cli/*', true],
    ['ArnEquals', 'aws:PrincipalArn', 'arn:aws:iam::000000000000:user/AKIDEXAMPLE', true],
    ['ArnLike', 'aws:PrincipalArn', 'arn:aws:iam::*:user/*', true],
    ['ArnEquals', 'aws:PrincipalArn', 'arn:aws:iam::*:user/AKID*', true],
    ['ArnLike', 'aws:PrincipalArn', 'arn:*:*:*:*:*', true],
    ['ArnLike', 'aws:PrincipalArn', 'arn:aws:i*:000000000000:user/AKIDEXAMPLE:*', false],
    ['ArnNotLike', 'aws:PrincipalArn', 'arn:aws:iam::*:user/*', false],
    ['ArnNotEquals', 'aws:PrincipalArn', 'arn:aws:iam::*:role/*', true],
    ['ArnLike', 'aws:username', 'arn:aws:iam::*:user/*', false],
    ['NumericEquals', 'aws:ResourceTag/weight', 7, true],
    ['NumericEquals', 'aws:ResourceTag/weight', '7.0', true],
    ['NumericNotEquals', 'aws:ResourceTag/weight', '7', false],
    ['NumericLessThan', 'aws:ResourceTag/weight', '7', false],
    ['NumericLessThanEquals', 'aws:ResourceTag/weight', '7', true],
    ['NumericGreaterThan', 'aws:ResourceTag/weight', '-7.5', true],
    ['NumericGreaterThanEquals', 'aws:ResourceTag/weight', '7.5', false],
    ['NumericLessThan', 'aws:ResourceTag/Team', '7', false],
    ['NumericGreaterThan', 'aws:ResourceTag/Team', '7', false],
    ['NumericGreaterThan', 'aws:EpochTime', String(now / 1000 - 1), true],
    ['DateGreaterThan', 'aws:CurrentTime', '2026-11-20T11:59:59Z', true],
    ['DateGreaterThan', 'aws:CurrentTime', '2026-11-20T12:00:00Z', false],
    ['DateGreaterThanEquals', 'aws:CurrentTime', '2026-11-20T12:00:00Z', true],
    ['DateLessThan', 'aws:CurrentTime', '2026-11-20T14:30:00+02:00', true],
    ['DateLessThan', 'aws:CurrentTime', '2026-11-20', false],
    ['DateLessThanEquals', 'aws:CurrentTime', now / 1000, true],
    ['DateEquals', 'aws:EpochTime', '2026-11-20T12:00:00Z', true],
    ['DateNotEquals', 'aws:CurrentTime', '2026-11-20T12:00:00Z', false],
    ['Bool', 'aws:SecureTransport', 'false', true],
    ['Bool', 'aws:SecureTransport', true, false],
    ['Bool', 'aws:SecureTransport', 'FALSE', true],
    ['Bool', 'aws:unknown', 'false', false],
    ['BoolIfExists', 'aws:unknown', 'false', true],
    ['Null', 'aws:ResourceTag/Team', 'true', false],
    ['Null', 'aws:ResourceTag/Team', false, true],
    ['Null', 'aws:ResourceTag/absent', 'true', true],
    ['Null', 'aws:TagKeys', 'false', true],
    ['IpAddress', 'aws:SourceIp', '10.0.0.0/8', true],
    ['IpAddress', 'aws:SourceIp', ['192.0.2.0/24', '10.1.2.3'], true],
    ['IpAddress', 'aws:SourceIp', '10.1.2.4/32', false],
    ['NotIpAddress', 'aws:SourceIp', '10.0.0.0/8', false],
    ['NotIpAddress', 'aws:SourceIp', ['192.0.2.0/24', '172.16.0.0/12'], true],
    ['ForAllValues:StringEquals', 'aws:TagKeys', ['Team', 'owner', 'stage'], true],
    ['ForAllValues:StringEquals', 'aws:TagKeys', ['Team'], false],
    ['ForAllValues:StringEquals', 'aws:unknown', ['Team'], true],
    ['ForAnyValue:StringEquals', 'aws:TagKeys', ['Team', 'stage'], true],
    ['ForAnyValue:StringEquals', 'aws:TagKeys', ['stage'], false],
    ['ForAnyValue:StringEquals', 'aws:unknown', ['stage'], false],
    ['ForAnyValue:StringEqualsIfExists', 'aws:unknown', ['stage'], true],
    ['ForAnyValue:StringNotEquals', 'aws:TagKeys', ['Team'], true],
    ['ForAnyValue:StringNotEquals', 'aws:unknown', ['Team'], false],
    ['ForAllValues:StringNotEquals', 'aws:TagKeys', ['Team'], false],
    ['ForAllValues:StringNotLike', 'aws:TagKeys', ['secret-*'], true],
    ['ForAnyValue:StringLike', 'aws:SourceIp', ['10.*'], true],
  ]
  for (const [operator, key, value, expected] of cases) {
    test(`${operator} ${key} ${JSON.stringify(value)} ${expected ? 'holds' : 'does not hold'}`, () => {
      assert.equal(holds({ [operator]: { [key]: value } }), expected)
    })
  }

  test('without a context every key is absent', () => {
    assert.equal(holds({ StringEquals: { 'aws:username': 'AKIDEXAMPLE' } }, {}), false)
    assert.equal(holds({ IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } }, {}), false)
    assert.equal(holds({ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, {}), true)
    assert.equal(holds({ Bool: { 'aws:SecureTransport': 'false' } }, {}), false)
    assert.equal(holds({ DateLessThan: { 'aws:CurrentTime': '9999-01-01' } }, {}), false)
    assert.equal(holds({ 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' } }, {}), true)
  })

  test('the last part of an ARN may hold colons', () => {
    const given = { principalArn: 'arn:aws:iam::000000000000:user/a:b' }
    assert.equal(holds({ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/a:b' } }, given), true)
    assert.equal(holds({ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/a:c' } }, given), false)
    assert.equal(holds({ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/a' } }, given), false)
  })

  test('all operators and all keys must hold', () => {
    const blue = { 'aws:ResourceTag/Team': 'blue' }
    assert.equal(holds({ StringEquals: { ...blue, 'aws:username': 'AKIDEXAMPLE' } }), true)
    assert.equal(holds({ StringEquals: { ...blue, 'aws:username': 'other' } }), false)
    assert.equal(holds({ StringEquals: blue, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }), true)
    assert.equal(holds({ StringEquals: blue, IpAddress: { 'aws:SourceIp': '11.0.0.0/8' } }), false)
    assert.equal(holds({}), true)
  })

  test('the keys that a request names without values count as tag keys', () => {
    const only = { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } }
    assert.equal(holds(only, { tagKeys: ['a'] }), true)
    assert.equal(holds(only, { tagKeys: ['a', 'c'] }), false)
    assert.equal(holds(only, { requestTags: { a: '1' }, tagKeys: ['c'] }), false)
  })

  test('tags whose keys differ in case alone must all match to allow, and one of them to deny', () => {
    const twice = { resourceTags: { Team: 'blue', team: 'red' } }
    for (const team of ['blue', 'red']) {
      const Condition = { StringEquals: { 'aws:ResourceTag/Team': team } }
      assert.equal(decide({ ...allow, Condition }, undefined, undefined, twice), 'ImplicitDeny')
      const deny = { ...allow, Effect: 'Deny', Condition }
      assert.equal(decide([allow, deny], undefined, undefined, twice), 'ExplicitDeny')
    }
  })

  const addresses: [range: string, address: string, matches: boolean][] = [
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '::ffff:203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.9', false],
    ['::/0', '::ffff:203.0.113.9', false],
    ['10.1.2.3/8', '10.200.0.1', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:a01:203', true],
    ['10.0.0.0/8', '0:0:0:0:0:ffff:a01::', true],
    ['10.0.0.0/8', '::ffff:11.1.2.3', false],
    ['10.0.0.0/8', '::10.1.2.3', false],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '11.1.2.3', false],
    ['::ffff:0:0/90', '::fffe:0:1', true],
    ['::ffff:0:0/90', '203.0.113.9', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['2001:db8::/32', '2001:DB8:0:1::5', true],
    ['2001:db8::/32', '2001:db9::5', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3%eth0', true],
    ['0.0.0.0/0', '', false],
    ['0.0.0.0/0', '1.2.3', false],
    ['0.0.0.0/0', '1.2.3.4.5', false],
    ['0.0.0.0/0', 'localhost', false],
  ]
  for (const [range, sourceIp, matches] of addresses) {
    test(`the address '${sourceIp}' is ${matches ? '' : 'not '}in ${range}`, () => {
      assert.equal(holds({ IpAddress: { 'aws:SourceIp': range } }, { sourceIp }), matches)
      assert.equal(holds({ NotIpAddress: { 'aws:SourceIp': range } }, { sourceIp }), !matches)
    })
  }
})

describe('a policy document', () => {
  test('may be JSON text or the value, with one statement or a list', () => {
    const document = { Version: '2012-10-17', Id: 'mine', Statement: { Sid: 'one', ...allow } }
    for (const form of [document, JSON.stringify(document), { ...document, Statement: [document.Statement] }]) {
      assert.equal(parsePolicy(form).statements.length, 1)
    }
    assert.equal(parsePolicy({ Version: '2008-10-17', Statement: allow }).statements.length, 1)
    assert.equal(parsePolicy({ Statement: allow }).statements.length, 1)
  })

  const condition = (value: unknown) => ({ Version: '2012-10-17', Statement: { ...allow, Condition: value } })
  const statement = (value: object) => ({ Version: '2012-10-17', Statement: [allow, value] })
  const malformed: [document: unknown, message: string | RegExp][] = [
    ['{', 'The policy is not valid JSON'],
    ['[]', 'The policy must be an object'],
    [null, 'The policy must be an object'],
    [undefined, 'The policy must be an object'],
    [7, 'The policy must be an object'],
    [{ Version: '2012-10-18', Statement: allow }, "The policy: Version must be '2012-10-17' or '2008-10-17'"],
    [{ Version: null, Statement: allow }, /Version must be/],
    [{ Version: 2012, Statement: allow }, "The policy: Version must be '2012-10-17' or '2008-10-17'"],
    [{ Version: '2012-10-17' }, 'The policy: Statement must hold at least one statement'],
    [{ Version: '2012-10-17', Statement: [] }, 'The policy: Statement must hold at least one statement'],
    [{ Version: '2012-10-17', Statement: allow, Statements: [] }, "The policy: 'Statements' is not known here"],
    [statement([]), 'Statement 2 must be an object'],
    [statement({ ...allow, Effect: 'allow' }), 'Statement 2: Effect must be Allow or Deny'],
    [statement({ ...allow, Effect: undefined }), 'Statement 2: Effect must be Allow or Deny'],
    [statement({ ...allow, Principal: '*' }), "Statement 2: 'Principal' is not known here"],
    [statement({ ...allow, action: 'x' }), "Statement 2: 'action' is not known here"],
    [JSON.parse('{"Statement": {"__proto__": {"Effect": "Allow"}}}'), "Statement 1: '__proto__' is not known here"],
    [statement({ Effect: 'Allow', Resource: '*' }), 'Statement 2: there must be either Action or NotAction'],
    [statement({ ...allow, NotAction: 'a:B' }), 'Statement 2: there must be either Action or NotAction'],
    [statement({ Effect: 'Allow', Action: '*' }), 'Statement 2: there must be either Resource or NotResource'],
    [statement({ ...allow, NotResource: '*' }), 'Statement 2: there must be either Resource or NotResource'],
    [statement({ ...allow, Action: [] }), 'Statement 2: Action must be a text or a list of texts'],
    [statement({ ...allow, Action: [['a:B']] }), 'Statement 2: Action must be a text or a list of texts'],
    [
      statement({ ...allow, Action: 'ListUsers' }),
      "Statement 2: Action: 'ListUsers' is neither * nor of the form service:Operation",
    ],
    [statement({ ...allow, Action: '' }), "Statement 2: Action: '' is neither * nor of the form service:Operation"],
    [statement({ ...allow, Action: 'cognito-idp:List Users' }), /neither \* nor/],
    [
      statement({ ...allow, Resource: 'us-east-1_abcdefghi' }),
      "Statement 2: Resource: 'us-east-1_abcdefghi' is neither * nor an ARN",
    ],
    [statement({ ...allow, Resource: 'arn:aws:cognito-idp' }), /neither \* nor an ARN/],
    [statement({ ...allow, Resource: { Ref: 'Pool' } }), 'Statement 2: Resource must be a text or a list of texts'],
    [
      statement({ ...allow, Resource: `arn:aws:cognito-idp:us-east-1:0:userpool/\${aws:username}` }),
      /policy variables/,
    ],
    [condition(null), 'Statement 1: Condition must be an object'],
    [condition([]), 'Statement 1: Condition must be an object'],
    [condition({ StringEquals: 'x' }), 'Statement 1: StringEquals must be an object'],
    [
      condition({ StringEquals: { 'aws:username': null } }),
      'Statement 1: StringEquals aws:username must be a text or a list of texts',
    ],
    [
      condition({ StringEquals: { 'aws:username': [] } }),
      'Statement 1: StringEquals aws:username must be a text or a list of texts',
    ],
    [condition({ StringEquals: { 'aws:username': `\${aws:userid}` } }), /policy variables/],
    [
      condition({ StringMatches: { 'aws:username': 'x' } }),
      "Statement 1: StringMatches aws:username: the operator 'StringMatches' is not known",
    ],
    [condition({ stringequals: { 'aws:username': 'x' } }), /the operator 'stringequals' is not known/],
    [condition({ 'ForSomeValues:StringEquals': { 'aws:TagKeys': 'x' } }), /is not known/],
    [condition({ 'ForAnyValue:Null': { 'aws:TagKeys': 'true' } }), /is not known/],
    [condition({ NullIfExists: { 'aws:TagKeys': 'true' } }), /is not known/],
    [condition({ IfExists: { 'aws:TagKeys': 'true' } }), /is not known/],
    [condition({ constructor: { 'aws:username': 'x' } }), /is not known/],
    [condition({ BinaryEquals: { key: 'QmluYXJ5' } }), /the operator 'BinaryEquals' is not known/],
    [condition({ StringEquals: { 'aws:TagKeys': 'x' } }), /needs ForAllValues: or ForAnyValue:/],
    [
      condition({ Bool: { 'aws:SecureTransport': 'yes' } }),
      "Statement 1: Bool aws:SecureTransport: 'yes' is neither true nor false",
    ],
    [condition({ Null: { 'aws:username': '1' } }), /neither true nor false/],
    [
      condition({ NumericLessThan: { 'aws:EpochTime': '1e9' } }),
      "Statement 1: NumericLessThan aws:EpochTime: '1e9' is not a number",
    ],
    [condition({ NumericLessThan: { 'aws:EpochTime': '' } }), /is not a number/],
    [
      condition({ DateLessThan: { 'aws:CurrentTime': 'tomorrow' } }),
      "Statement 1: DateLessThan aws:CurrentTime: 'tomorrow' is not a date",
    ],
    [condition({ DateLessThan: { 'aws:CurrentTime': '2026-13-01' } }), /is not a date/],
    [condition({ DateLessThan: { 'aws:CurrentTime': 'Nov 20, 2026' } }), /is not a date/],
    [condition({ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam' } }), /is not an ARN/],
    ...[
      '10.0.0.0/33',
      '10.0.0/8',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      '::/129',
      'fe80::1%eth0',
      'localhost',
      '',
    ].map((range): [unknown, RegExp] => [
      condition({ IpAddress: { 'aws:SourceIp': range } }),
      /is not an IP address or a range in CIDR notation/,
    ]),
  ]
  for (const [document, message] of malformed) {
    test(`is refused: ${typeof message === 'string' ? message : JSON.stringify(document)}`, () => {
      // An Effect of undefined is an absent one once it has been JSON.
      const value = typeof document === 'object' && document !== null ? JSON.stringify(document) : document
      assert.throws(
        () => parsePolicy(value),
        (error: unknown) => {
          assert.ok(error instanceof Error)
          if (typeof message === 'string') assert.equal(error.message, message)
          else assert.match(error.message, message)
          assert.ok(!error.message.includes('\n'))
          return true
        },
      )
    })
  }
})
