import {
  connect,
  insert,
  mutate,
  named,
  numberOf,
  optionalNumberOf,
  optionalTextOf,
  refsOf,
  select,
  textOf,
  update,
  uuid,
  type Condition,
  type Mutation,
  type Operation,
  type OvsdbClient,
  type Row,
  type WriteAtom,
  type WriteRow,
  type WriteValue,
} from '@alcor/ovsdb';
import type { Abortable, Means } from './means.ts';

const DB = 'Open_vSwitch';

/** A bridge and its ports as they shall be; what else the database says of them is left alone. */
export interface BridgeSetting {
  readonly name: string;
  readonly columns: WriteRow;
  readonly ports: readonly PortSetting[];
}

/** A port with one interface of the same name. */
export interface PortSetting {
  readonly name: string;
  readonly columns: WriteRow;
}

/** A connection for one piece of work; each is a few milliseconds, and none is left open. */
export async function withDatabase<T>(
  address: string,
  means: Means,
  options: Abortable,
  work: (client: OvsdbClient) => Promise<T>,
): Promise<T> {
  const { sleep } = means;
  const dial = (signal: AbortSignal): ReturnType<Means['dial']> => means.dial(address, signal);
  const client = await connect({ dial, sleep, ...(options.signal && { signal: options.signal }) });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** The database's single root row, made where the database is new. */
export async function ensureRoot(client: OvsdbClient, columns: WriteRow): Promise<void> {
  const [{ rows }] = await client.transact(DB, [select('Open_vSwitch', [], ['_uuid'])]);
  if (rows.length === 0) await client.transact(DB, [insert('Open_vSwitch', columns)]);
  else await client.transact(DB, assign('Open_vSwitch', [], columns));
}

/** Makes bridges and ports that are missing and sets the columns of all; one transaction. */
export async function ensureBridges(client: OvsdbClient, bridges: readonly BridgeSetting[]): Promise<void> {
  const [known, ports] = await client.transact(DB, [
    select('Bridge', [], ['name', '_uuid']),
    select('Port', [], ['name', '_uuid']),
  ]);
  const operations = bridges.flatMap((bridge, index) => bridgeOperations(bridge, index, nameSet(known.rows)));
  const additions = bridges.flatMap((bridge) =>
    bridge.ports.flatMap((port, index) => portOperations(bridge.name, port, index, nameSet(ports.rows))),
  );
  await client.transact(DB, [...operations, ...additions]);
}

/** Puts a port onto a bridge that exists. */
export async function ensurePort(client: OvsdbClient, bridge: string, port: PortSetting): Promise<void> {
  const [{ rows }] = await client.transact(DB, [select('Port', [['name', '==', port.name]], ['name'])]);
  await client.transact(DB, portOperations(bridge, port, 0, nameSet(rows)));
}

/** Takes a port off its bridge; nothing where there is none of that name. */
export async function removePort(client: OvsdbClient, bridge: string, name: string): Promise<void> {
  const [{ rows }] = await client.transact(DB, [select('Port', [['name', '==', name]], ['_uuid'])]);
  const ids = rows.flatMap((row) => refsOf(row, '_uuid')).map(uuid);
  if (ids.length === 0) return;
  // A port that no bridge holds is dropped by the database itself, and its interface with it.
  await client.transact(DB, [mutate('Bridge', [['name', '==', bridge]], [['ports', 'delete', ids]])]);
}

/** Longer than a switch on a busy machine takes; one that has died would be waited for in vain. */
const PATIENCE_MS = 20_000;

/** Asks the switch to take in all that was written before, and waits until it says that it has (`next_cfg`, `cur_cfg`). */
export async function settled(client: OvsdbClient, { sleep }: Means, { signal }: Abortable): Promise<void> {
  const over = new AbortController();
  const monitor = await client.monitor(DB, { Open_vSwitch: { columns: ['cur_cfg'] } }, signal);
  const [, { rows }] = await client.transact(DB, [
    mutate('Open_vSwitch', [], [['next_cfg', '+=', 1]]),
    select('Open_vSwitch', [], ['next_cfg']),
  ]);
  const wanted = Math.max(...rows.map((row) => numberOf(row, 'next_cfg')));
  const reached = new Promise<void>((resolve) => {
    const look = (): void => {
      if ([...monitor.rows('Open_vSwitch').values()].every((row) => numberOf(row, 'cur_cfg') >= wanted)) resolve();
    };
    monitor.onChange(look);
    look();
  });
  const patience = sleep(PATIENCE_MS, AbortSignal.any([over.signal, ...(signal ? [signal] : [])])).then(() => {
    throw new Error(`the switch has not taken in its configuration within ${PATIENCE_MS} ms`);
  });
  try {
    await Promise.race([reached, patience]);
  } finally {
    over.abort();
    monitor.close();
  }
}

/** Fails where the switch could not open an interface, with what it says about it. */
export async function checkInterfaces(client: OvsdbClient, names: readonly string[]): Promise<void> {
  const [{ rows }] = await client.transact(DB, [select('Interface', [], ['name', 'ofport', 'error'])]);
  for (const row of rows) {
    const ofport = optionalNumberOf(row, 'ofport');
    if (!names.includes(textOf(row, 'name')) || (ofport !== undefined && ofport >= 0)) continue;
    throw new Error(`interface ${textOf(row, 'name')}: ${optionalTextOf(row, 'error') ?? 'not taken by the switch'}`);
  }
}

function bridgeOperations(bridge: BridgeSetting, index: number, known: ReadonlySet<string>): readonly Operation[] {
  const { name, columns } = bridge;
  if (known.has(name)) return assign('Bridge', [['name', '==', name]], columns);
  const [own, port, row] = [`inner${index}`, `own${index}`, `bridge${index}`];
  // A bridge has a port of its own name: the machine's leg into it.
  return [
    insert('Interface', { name, type: 'internal' }, own),
    insert('Port', { name, interfaces: [named(own)] }, port),
    insert('Bridge', { name, ...columns, ports: [named(port)] }, row),
    mutate('Open_vSwitch', [], [['bridges', 'insert', [named(row)]]]),
  ];
}

function portOperations(
  bridge: string,
  { name, columns }: PortSetting,
  index: number,
  known: ReadonlySet<string>,
): readonly Operation[] {
  if (known.has(name)) return assign('Interface', [['name', '==', name]], columns);
  const unique = `${bridge.replaceAll('-', '_')}_${index}`;
  return [
    insert('Interface', { name, ...columns }, `i_${unique}`),
    insert('Port', { name, interfaces: [named(`i_${unique}`)] }, `p_${unique}`),
    mutate('Bridge', [['name', '==', bridge]], [['ports', 'insert', [named(`p_${unique}`)]]]),
  ];
}

/** Sets columns of rows that exist. Of maps only the keys given: the others may be somebody else's. */
function assign(table: string, where: readonly Condition[], columns: WriteRow): readonly Operation[] {
  const all = Object.entries(columns);
  const mutations = all.flatMap(([column, value]): readonly Mutation[] =>
    isMap(value)
      ? [
          [column, 'delete', [...value.keys()]],
          [column, 'insert', value],
        ]
      : [],
  );
  const plain = Object.fromEntries(all.filter(([, value]) => !isMap(value)));
  return [
    ...(Object.keys(plain).length > 0 ? [update(table, where, plain)] : []),
    ...(mutations.length > 0 ? [mutate(table, where, mutations)] : []),
  ];
}

function isMap(value: WriteValue): value is ReadonlyMap<WriteAtom, WriteAtom> {
  return value instanceof Map;
}

function nameSet(rows: readonly Row[]): ReadonlySet<string> {
  return new Set(rows.map((row) => textOf(row, 'name')));
}
