/**
 * Milliseconds of CPU that the work takes. Tests of linear time look at CPU, not at the clock on the wall, so that a busy
 * machine changes nothing; their bounds are far above what linear work takes and far below what quadratic work would.
 */
export const cpuMsOf = (work: () => unknown): number => {
  const begun = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1_000
}
