/** Makes small databases in MaxMind's format (MMDB 2.0) of IPv4 networks. */

type Value = string | number | { [name: string]: Value }

/** The file for these networks; each has an address and the length of its prefix. */
export const makeGeoDatabase = (networks: readonly [network: string, content: Value][]): Buffer => {
  const data: Buffer[] = []
  const offsets = networks.map(([, content]) => {
    const offset = data.reduce((sum, { length }) => sum + length, 0)
    data.push(encode(content))
    return offset
  })
  type Node = [Node | number | undefined, Node | number | undefined]
  const root: Node = [undefined, undefined]
  networks.forEach(([network], index) => {
    const [address = '', length = ''] = network.split('/')
    const bits = address
      .split('.')
      .map(byte => Number(byte).toString(2).padStart(8, '0'))
      .join('')
      .slice(0, Number(length))
    let node = root
    for (const [at, bit] of [...bits].entries()) {
      const side = bit === '1' ? 1 : 0
      if (at === bits.length - 1) node[side] = index
      else {
        const next: Node = (node[side] as Node | undefined) ?? [undefined, undefined]
        node[side] = next
        node = next
      }
    }
  })
  const nodes: Node[] = []
  const number = (node: Node): void => {
    nodes.push(node)
    for (const child of node) if (Array.isArray(child)) number(child)
  }
  number(root)
  const record = (child: Node[number]): Buffer => {
    const value = Array.isArray(child)
      ? nodes.indexOf(child)
      : child === undefined
        ? nodes.length
        : nodes.length + 16 + (offsets[child] ?? 0)
    return Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff])
  }
  const tree = nodes.flatMap(node => node.map(record))
  const metadata = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 0,
    database_type: 'Test-City',
    description: { en: 'test' },
    ip_version: 4,
    node_count: nodes.length,
    record_size: 24,
  }
  return Buffer.concat([
    ...tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from('abcdef4d61784d696e642e636f6d', 'hex'),
    encode(metadata),
  ])
}

/** Texts, unsigned numbers, other numbers as doubles, and maps; none of them longer than 284 entries or bytes. */
const encode = (value: Value): Buffer => {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)])
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0) {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value)
      return Buffer.concat([control(6, 4), bytes])
    }
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value)
    return Buffer.concat([control(3, 8), bytes])
  }
  const entries = Object.entries(value)
  return Buffer.concat([
    control(7, entries.length),
    ...entries.flatMap(([name, entry]) => [encode(name), encode(entry)]),
  ])
}

const control = (type: number, size: number): Buffer =>
  size < 29 ? Buffer.from([(type << 5) | size]) : Buffer.from([(type << 5) | 29, size - 29])
