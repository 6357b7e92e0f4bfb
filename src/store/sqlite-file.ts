/** The data file of SQLite: making it so that nobody else can read it, and claiming it for this process. */
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { reasonOf, StartRefusal } from './backend.ts'

const busyCode = 5

/**
 * Makes the folder (0700) and the file (0600) and holds a lock that dies with the process. Two processes that write one
 * file would each believe in their own caches, so the second one refuses to start. The result gives up the lock.
 */
export function claimFile(file: string): () => void {
  const folder = dirname(file)
  try {
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) syncFolder(dirname(folder))
    refuseNetworkFolder(folder)
    const created = createFile(file)
    createFile(`${file}.lock`)
    if (created) syncFolder(folder)
  } catch (error) {
    if (error instanceof StartRefusal) throw error
    throw new StartRefusal(`The data file ${file} cannot be created: ${reasonOf(error)}.`)
  }
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 })
  try {
    // In memory, so that a killed process leaves no journal of the lock file behind.
    lock.exec('pragma journal_mode = memory')
    lock.exec('begin exclusive')
    held.add(lock)
    return () => {
      held.delete(lock)
      lock.close()
    }
  } catch (error) {
    lock.close()
    if ((error as { errcode?: unknown }).errcode === busyCode) {
      throw new StartRefusal(`The data file ${file} is in use by another process.`)
    }
    throw new StartRefusal(`The lock file ${file}.lock cannot be used: ${reasonOf(error)}.`)
  }
}

/** The locks of this process. A lock that nothing refers to would be collected as garbage and given up. */
const held = new Set<DatabaseSync>()

/** True when the file did not exist. It is never opened when it does: closing it would drop this process's locks on it. */
function createFile(file: string): boolean {
  try {
    const descriptor = openSync(file, 'wx', 0o600)
    fsyncSync(descriptor)
    closeSync(descriptor)
    chmodSync(file, 0o600)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Makes the names in a folder durable. Windows cannot open a folder and needs nothing of the kind. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** NFS, SMB and CIFS, by the numbers of Linux: their locks and shared memory do not hold what SQLite's log needs. */
const networkFileSystems = [0x6969, 0x517b, 0xff534d42, 0xfe534d42]

function refuseNetworkFolder(folder: string): void {
  if (process.platform !== 'linux') return
  if (networkFileSystems.includes(Number(statfsSync(folder).type))) {
    throw new StartRefusal(
      `The data folder ${folder} is on a network file system, which the embedded database cannot use.`,
    )
  }
}
