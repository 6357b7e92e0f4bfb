/** Writes `docs/configuration.md` from the table of options. With `--check` it only compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import { options } from '../src/config.ts'

const file = 'docs/configuration.md'

const row = (cells: string[]): string => `| ${cells.join(' | ')} |`

const page = [
  '# Configuration',
  '',
  '<!-- Generated from src/config.ts by `npm run generate`. Change it there. -->',
  '',
  'Each option of `cenote start` is also an environment variable and a key of the YAML file that `--config FILE` (or',
  '`CENOTE_CONFIG`) names. An option beats the environment, the environment beats the file, the file beats the default.',
  'A switch in the environment is on with `1` or `true`.',
  '',
  row(['option', 'environment', 'key in the file', 'default', 'what it does']),
  row(['---', '---', '---', '---', '---']),
  ...options.map(({ name, value, variable, default: fallback, doc }) =>
    row([
      `\`--${name}${value === undefined ? '' : ` ${value}`}\``,
      variable
        .split(', ')
        .map(text => `\`${text}\``)
        .join(', '),
      name === 'access-key'
        ? '`accessKeys`'
        : `\`${name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())}\``,
      fallback,
      doc,
    ]),
  ),
  '',
  '## Access keys with policies',
  '',
  'The file can hold any number of access keys. A key without a policy may do everything; with one, it may do what the',
  'IAM policy document allows and nothing else.',
  '',
  '```yaml',
  'host: 0.0.0.0',
  'publicUrl: https://id.example.com',
  'accessKeys:',
  '  - id: AKIDOPERATOR',
  '    secret: a-long-random-secret',
  '  - id: AKIDREADER',
  '    secret: another-long-random-secret',
  '    policy:',
  "      Version: '2012-10-17'",
  '      Statement:',
  '        - Effect: Allow',
  "          Action: ['cognito-idp:Describe*', 'cognito-idp:List*', 'cognito-idp:AdminGetUser']",
  "          Resource: 'arn:aws:cognito-idp:us-east-1:000000000000:userpool/*'",
  '```',
  '',
  '## Mail and text messages',
  '',
  'How messages go out (`delivery`), and the keys of custom senders (`customSenderKeys`, `kms`), stand in the file; see',
  '[mail and text messages](messages.md).',
  '',
  '## Functions of triggers',
  '',
  'The functions that a pool assigns in its LambdaConfig run at the Lambda endpoint. Those that the file names under',
  '`triggers`, by ARN or by the name of the function, are webhooks or modules on this machine instead.',
  '',
  '```yaml',
  'triggers:',
  '  arn:aws:lambda:us-east-1:000000000000:function:pre-sign-up:',
  '    url: https://hooks.example.com/pre-sign-up',
  '    secret: a-long-random-secret',
  '  post-confirmation:',
  '    module: ./post-confirmation.ts',
  '```',
  '',
  'A module, in JavaScript or TypeScript, exports the function as `default` or `handler`; its path is relative to the',
  'file. It runs on a thread of its own and is loaded again when its file changes.',
  '',
  'To a webhook, the event is posted as JSON. Status 200 with the event as the function returns it is success; any other status with',
  '`{"errorMessage": "…"}` is an error of the function. `X-Cenote-Timestamp` holds seconds since the epoch and',
  '`X-Cenote-Signature` holds `v1=` and the HMAC with SHA-256, in hex, of timestamp, period and body under the secret.',
  'Refuse what is unsigned or older than a few minutes. Host and network of a URL in this file need not be allowed',
  'separately.',
  '',
  '## Logs of pools',
  '',
  'Where the destinations of SetLogDeliveryConfiguration lead stands in the file under `logDelivery`; every key is optional,',
  'but the endpoints need the access key. `{region}` stands for the region of the destination. What each of them gets is in',
  '[threat-protection.md](threat-protection.md).',
  '',
  '```yaml',
  'logDelivery:',
  '  accessKey: ID:SECRET',
  '  cloudWatchEndpoint: https://logs.{region}.amazonaws.com',
  '  firehoseEndpoint: https://firehose.{region}.amazonaws.com',
  '  s3Endpoint: https://s3.{region}.amazonaws.com',
  '  file: ./cenote-events.jsonl',
  '  webhook:',
  '    url: https://hooks.example.com/cenote',
  '    secret: a-long-random-secret',
  '```',
  '',
].join('\n')

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== page) {
    process.stderr.write(`${file} is out of date; run npm run generate\n`)
    process.exit(1)
  }
} else writeFileSync(file, page)
