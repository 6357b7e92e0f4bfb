/**
 * Preloaded into a server: writes what the event loop was late by, in milliseconds, to the file that the environment
 * names, at each SIGUSR2, and starts anew.
 */
import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

const file = process.env['CENOTE_BENCH_LOOP']
if (isMainThread && file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  process.on('SIGUSR2', () => {
    const milliseconds = (nanoseconds: number) => nanoseconds / 1e6
    const { max } = delay
    const [p50, p99, p999] = [50, 99, 99.9].map(percentile => milliseconds(delay.percentile(percentile)))
    writeFileSync(file, JSON.stringify({ p50, p99, p999, max: milliseconds(max) }))
    delay.reset()
  })
}
