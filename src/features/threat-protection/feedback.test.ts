import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import AxeBuilderSource from 'axe-core'
import { days, keepingDelivery, minutes, onEachDatabase, type TestApp } from '../../../test/support/app.ts'
import { screenshot, withBrowser } from '../../../test/support/browser.ts'
import { createPool, createUser, email, type TestPool } from '../../../test/support/pools.ts'
import {
  abroad,
  eventsOf,
  home,
  Password,
  securityReasons,
  setRisk,
  signInFrom,
  takeover,
  watchedPool,
} from '../../../test/support/threat-protection.ts'

const invalidToken = { name: 'NotAuthorizedException', message: 'Invalid feedback token.' }
const notEnabled = { name: 'UserPoolAddOnNotEnabledException', message: 'User pool add-ons are not enabled.' }

onEachDatabase(testApp => {
  const openPage = withBrowser()
  let app: TestApp
  before(async () => {
    app = await testApp()
  })

  const mailsOf = async ({ poolId }: TestPool) =>
    (await app.messages()).filter(
      ({ userPoolId, source }) => userPoolId === poolId && source === 'AccountTakeOverNotification',
    )

  /** A pool in which `ann` was told of a sign-in from abroad, what the mail says, and its links. */
  const told = async (action: Parameters<typeof takeover>[0] = 'NO_ACTION') => {
    const pool = await watchedPool(app, 'ENFORCED')
    await setRisk(app, pool, takeover(action, true))
    await signInFrom(app, pool, home)
    app.advance(minutes(1))
    const attempt = signInFrom(app, pool, abroad)
    if (action === 'BLOCK') await assert.rejects(attempt, securityReasons)
    else await attempt
    const [mail] = await mailsOf(pool)
    const links = [...(mail?.body.matchAll(/href="([^"]+)"/g) ?? [])].map(([, href = '']) =>
      href.replaceAll('&amp;', '&'),
    )
    const [invalid = '', valid = ''] = links
    const query = new URL(valid).searchParams
    const feedback = {
      UserPoolId: pool.poolId,
      Username: query.get('userName') ?? '',
      EventId: query.get('eventId') ?? '',
      FeedbackToken: query.get('feedbackToken') ?? '',
      FeedbackValue: 'Valid' as const,
    }
    return { pool, mail, valid, invalid, feedback }
  }

  describe('the mail', () => {
    test('tells of the sign-in in the words for what was done, and only where the configuration wants it', async () => {
      for (const [action, subject] of [
        ['NO_ACTION', 'New sign-in attempt'],
        ['MFA_IF_CONFIGURED', 'New sign-in attempt'],
        ['BLOCK', 'Blocked sign-in attempt'],
      ] as const) {
        const { pool, mail, feedback } = await told(action)
        assert.deepEqual([mail?.to, mail?.subject, mail?.username], ['ann@example.com', subject, 'ann'])
        assert.match(mail?.body ?? '', /Device: Firefox 127, Linux<br>Location: unknown, unknown/)
        assert.equal((await mailsOf(pool)).length, 1)
        assert.equal((await eventsOf(app, pool))[0]?.EventId, feedback.EventId)
      }
    })

    test('comes from the sender of the configuration, with its texts and all placeholders filled', async () => {
      const delivery = keepingDelivery()
      const own = await testApp({
        delivery,
        places: { find: () => ({ city: 'Lyon <b>', country: 'France' }) },
      })
      const pool = await watchedPool(own, 'ENFORCED')
      const names = 'username ip-address city country login-time device-name event-id feedback-token'.split(' ')
      const text = `${names.map(name => `${name}={${name}}`).join('\n')}\n{one-click-link-valid}\n{other}`
      const rules = takeover('NO_ACTION', true)
      await setRisk(own, pool, {
        AccountTakeoverRiskConfiguration: {
          ...rules.AccountTakeoverRiskConfiguration,
          NotifyConfiguration: {
            ...rules.AccountTakeoverRiskConfiguration.NotifyConfiguration,
            SourceArn: 'arn:aws:ses:us-east-1:123456789012:identity/security@example.com',
            NoActionEmail: { Subject: 'Hello {username},\r\nBcc: x', TextBody: text },
          },
        },
      })
      await signInFrom(own, pool, home)
      own.advance(minutes(1))
      await signInFrom(own, pool, abroad)
      await own.app.sendMessages()
      const [sent] = delivery.sent
      assert.deepEqual(
        [delivery.sent.length, sent?.from, sent?.replyTo, sent?.to, sent?.subject],
        [1, 'Security <security@example.com>', 'help@example.com', 'ann@example.com', 'Hello ann, Bcc: x'],
      )
      const lines = sent?.body.split('<br>\n') ?? []
      assert.deepEqual(lines.slice(0, 4), [
        'username=ann',
        'ip-address=203.0.113.9',
        'city=Lyon &lt;b&gt;',
        'country=France',
      ])
      assert.match(lines[6] ?? '', /^event-id=[\w-]{36}$/)
      assert.match(lines[7] ?? '', /^feedback-token=[\w-]{43}$/)
      assert.match(lines[8] ?? '', /^http:\/\/127\.0\.0\.1:\d+\/eventFeedback\?userPoolId=/)
      assert.equal(lines[9], '{other}')
    })

    test('is not sent in a pool that only watches, without risk, without an address, or for a wrong password', async () => {
      const { pool } = await told()
      await assert.rejects(signInFrom(app, pool, abroad, { password: 'wrong' }))
      await signInFrom(app, pool, home)
      assert.equal((await mailsOf(pool)).length, 1)
      await createUser(app, pool.poolId, 'bob', Password)
      await signInFrom(app, pool, home, { username: 'bob' })
      app.advance(minutes(1))
      await signInFrom(app, pool, abroad, { username: 'bob' })
      assert.equal((await mailsOf(pool)).length, 1)

      const watched = await watchedPool(app, 'AUDIT')
      await setRisk(app, watched, takeover('BLOCK', true))
      await signInFrom(app, watched, home)
      app.advance(minutes(1))
      await signInFrom(app, watched, abroad)
      assert.deepEqual(await mailsOf(watched), [])
    })
  })

  describe('feedback of the user', () => {
    test('is given once with the token of the mail, and shows in the history', async () => {
      const { pool, feedback } = await told()
      await app.aws.updateAuthEventFeedback(feedback)
      assert.deepEqual((await eventsOf(app, pool))[0]?.EventFeedback, {
        FeedbackValue: 'Valid',
        Provider: 'User',
        FeedbackDate: new Date(app.now()),
      })
      await assert.rejects(app.aws.updateAuthEventFeedback({ ...feedback, FeedbackValue: 'Invalid' }), invalidToken)
    })

    test('of 32 who hold the token at once exactly one gives it', async () => {
      const { feedback } = await told()
      const results = await Promise.allSettled(
        Array.from({ length: 32 }, () => app.aws.updateAuthEventFeedback(feedback)),
      )
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const result of results) {
        if (result.status === 'rejected') assert.equal((result.reason as Error).message, invalidToken.message)
      }
    })

    test('is refused with another token, for another event, user or pool, and for nobody, in the same words', async () => {
      const one = await told()
      const other = await told()
      await createUser(app, one.pool.poolId, 'bob', Password, [email('bob@example.com')])
      const changes = [
        { FeedbackToken: other.feedback.FeedbackToken },
        { FeedbackToken: 'x' },
        { FeedbackToken: 'x'.repeat(300) },
        { EventId: other.feedback.EventId },
        { EventId: 'nothing' },
        { Username: 'bob' },
        { Username: 'nobody' },
        { UserPoolId: other.pool.poolId },
      ]
      for (const change of changes) {
        await assert.rejects(app.aws.updateAuthEventFeedback({ ...one.feedback, ...change }), invalidToken)
      }
      await assert.rejects(app.aws.updateAuthEventFeedback({ ...one.feedback, UserPoolId: 'us-east-1_nobody' }), {
        name: 'ResourceNotFoundException',
      })
      await app.aws.updateAuthEventFeedback(one.feedback)
    })

    test('is too late after thirty days', async () => {
      const { feedback } = await told()
      app.advance(days(30))
      await assert.rejects(app.aws.updateAuthEventFeedback(feedback), invalidToken)
    })

    test('needs threat protection', async () => {
      const { pool, feedback } = await told()
      await app.aws.updateUserPool({ UserPoolId: pool.poolId, UserPoolTier: 'PLUS' })
      await assert.rejects(app.aws.updateAuthEventFeedback(feedback), notEnabled)
    })

    test('that it was somebody else makes the place distrusted, and that it was the user changes nothing', async () => {
      for (const [FeedbackValue, level] of [
        ['Invalid', 'High'],
        ['Valid', undefined],
      ] as const) {
        const { pool, feedback } = await told()
        await app.aws.updateAuthEventFeedback({ ...feedback, FeedbackValue })
        app.advance(minutes(1))
        await signInFrom(app, pool, abroad)
        assert.equal((await eventsOf(app, pool))[0]?.EventRisk?.RiskLevel, level)
      }
    })

    test('the database holds a digest of the token only', async () => {
      const { feedback } = await told()
      const rows = await app.database.db.selectFrom('auth_events').selectAll().execute()
      assert.ok(rows.length > 0)
      assert.ok(!JSON.stringify(rows).includes(feedback.FeedbackToken))
    })
  })

  describe('feedback of an administrator', () => {
    const give = (pool: TestPool, EventId: string, FeedbackValue: 'Valid' | 'Invalid', Username = 'ann') =>
      app.aws.adminUpdateAuthEventFeedback({ UserPoolId: pool.poolId, Username, EventId, FeedbackValue })

    test('is given for any event, and again', async () => {
      const { pool, feedback } = await told()
      await give(pool, feedback.EventId, 'Invalid')
      assert.equal((await eventsOf(app, pool))[0]?.EventFeedback?.FeedbackValue, 'Invalid')
      await give(pool, feedback.EventId, 'Valid')
      const [event] = await eventsOf(app, pool)
      assert.deepEqual([event?.EventFeedback?.FeedbackValue, event?.EventFeedback?.Provider], ['Valid', 'Admin'])
      await app.aws.updateAuthEventFeedback(feedback)
      assert.equal((await eventsOf(app, pool))[0]?.EventFeedback?.Provider, 'User')
    })

    test('is refused for an event of another user or pool, for nobody, and without threat protection', async () => {
      const one = await told()
      const other = await told()
      await createUser(app, one.pool.poolId, 'bob', Password)
      const unknown = { name: 'ResourceNotFoundException', message: 'Auth event does not exist.' }
      await assert.rejects(give(one.pool, other.feedback.EventId, 'Valid'), unknown)
      await assert.rejects(give(one.pool, one.feedback.EventId, 'Valid', 'bob'), unknown)
      await assert.rejects(give(one.pool, one.feedback.EventId, 'Valid', 'nobody'), { name: 'UserNotFoundException' })
      const unwatched = await createPool(app, { UserPoolTier: 'PLUS' })
      await createUser(app, unwatched.poolId, 'ann', Password)
      await assert.rejects(give(unwatched, one.feedback.EventId, 'Valid'), notEnabled)
    })
  })

  describe('the links of the mail', () => {
    test('lead to a page that changes nothing until a button is pressed', async () => {
      const { pool, invalid, valid } = await told()
      for (const link of [valid, invalid]) {
        const answer = await fetch(link)
        assert.equal(answer.status, 200)
        assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
        assert.equal(answer.headers.get('cache-control'), 'no-store')
        assert.match(answer.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
        assert.equal((await fetch(link, { method: 'HEAD' })).status, 200)
      }
      assert.equal((await eventsOf(app, pool))[0]?.EventFeedback, undefined)

      const page = await openPage()
      await page.goto(invalid)
      assert.equal(await page.textContent('h1'), 'Was this you?')
      await page.evaluate(AxeBuilderSource.source)
      const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()')
      assert.deepEqual(
        violations.map(({ id }) => id),
        [],
      )
      await screenshot(page, 'event-feedback')
      await page.getByRole('button', { name: 'No, it was not me' }).click()
      await page.getByRole('status').first().waitFor()
      assert.match((await page.textContent('main')) ?? '', /Thank you\. Your answer was recorded\./)
      const [event] = await eventsOf(app, pool)
      assert.deepEqual([event?.EventFeedback?.FeedbackValue, event?.EventFeedback?.Provider], ['Invalid', 'User'])

      await page.goto(valid)
      await page.getByRole('button', { name: 'Yes, it was me' }).click()
      await page.getByRole('alert').waitFor()
      assert.equal((await eventsOf(app, pool))[0]?.EventFeedback?.FeedbackValue, 'Invalid')
      await page.context().close()
    })

    test('that are broken, and forms that nobody was shown, get a page that says so', async () => {
      const { valid } = await told()
      const { origin, searchParams } = new URL(valid)
      const url = `${origin}/eventFeedback`
      assert.equal((await fetch(url)).status, 400)
      assert.equal((await fetch(`${url}?userPoolId=%00`)).status, 400)
      const post = (body: URLSearchParams | string) =>
        fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
      const hostile = new URLSearchParams(searchParams)
      hostile.set('userName', '"><script>alert(1)</script>')
      assert.ok(!(await (await fetch(`${url}?${hostile}`)).text()).includes('<script>alert'))
      for (const body of [
        '',
        'x'.repeat(5_000),
        new URLSearchParams({ ...Object.fromEntries(searchParams), feedbackToken: 'wrong' }),
        hostile,
        new URLSearchParams({ ...Object.fromEntries(searchParams), userPoolId: 'us-east-1_nobody' }),
        new URLSearchParams({ ...Object.fromEntries(searchParams), feedbackValue: 'Maybe' }),
      ]) {
        assert.ok([400, 413].includes((await post(body)).status))
      }
      assert.equal((await post(new URLSearchParams(searchParams))).status, 200)
    })
  })
})
