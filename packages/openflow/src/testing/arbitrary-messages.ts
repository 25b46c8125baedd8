import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import type { Message, Port } from '../messages/types.ts';
import { NO_BUFFER } from '../ports.ts';
import { errorName } from '../messages/error-names.ts';
import { action, bytes, made, flowMod, flowStats, match, u16, u32, u48, u64, u8 } from './arbitrary.ts';

const name = fc.stringMatching(/^[a-z0-9-]{0,15}$/);
const actions = fc.array(action, { maxLength: 3 });
const optional = <T>(model: { [K in keyof T]: Arbitrary<T[K]> }): Arbitrary<Partial<T>> =>
  fc.record(model, { requiredKeys: [] }) as Arbitrary<Partial<T>>;

const port: Arbitrary<Port> = fc.record({
  port: u32,
  name,
  mac: u48,
  config: u32,
  state: u32,
  properties: bytes(40),
});

const bucket = fc
  .tuple(fc.record({ id: u32, actions }), optional({ weight: u16, watchPort: u32, watchGroup: u32 }))
  .map(([fixed, rest]) => made(fixed, rest));

const band = fc.oneof(
  fc.record({ type: fc.constant('drop'), rate: u32, burst: fc.integer({ min: 1, max: 1e9 }) }),
  fc.record({ type: fc.constant('drop'), rate: u32 }),
  fc.record({ type: fc.constant('dscp_remark'), rate: u32, precedence: u8 }),
);
const meterFlags = fc.subarray(['kbps', 'pktps', 'burst', 'stats']);
const meterStats = fc.record({
  meter: u32,
  references: u32,
  packets: u64,
  bytes: u64,
  durationSeconds: u32,
  durationNanoseconds: u32,
  bands: fc.array(fc.record({ packets: u64, bytes: u64 }), { maxLength: 3 }),
});
const groupType = fc.constantFrom('all', 'select', 'indirect', 'fast_failover');
const selection = fc.record({
  method: fc.constantFrom('hash', 'dp_hash'),
  parameter: u64,
  fields: fc.constantFrom({}, { ipv4_src: { value: 0xffff, mask: 0xffff } }),
});

const answer = fc.oneof(
  fc.record({
    kind: fc.constant('desc'),
    description: fc.record({ manufacturer: name, hardware: name, software: name, serial: name, datapath: name }),
  }),
  fc.record({ kind: fc.constant('flows'), flows: fc.array(flowStats, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant('aggregate'), stats: fc.record({ packets: u64, bytes: u64, flows: u32 }) }),
  fc.record({
    kind: fc.constant('tables'),
    tables: fc.array(fc.record({ table: u8, active: u32, lookups: u64, matches: u64 }), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('ports'), ports: fc.array(port.map(aligned), { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('groups'),
    groups: fc.array(
      fc
        .tuple(
          fc.record({ group: u32, groupType, buckets: fc.array(bucket, { maxLength: 3 }) }),
          optional({ selection }),
        )
        .map(([fixed, rest]) => made(fixed, rest)),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    kind: fc.constant('meters'),
    meters: fc.array(fc.record({ meter: u32, flags: meterFlags, bands: fc.array(band, { maxLength: 3 }) }), {
      maxLength: 3,
    }),
  }),
  fc.record({ kind: fc.constant('meter_stats'), meters: fc.array(meterStats, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('unknown'), multipartType: fc.constant(999), body: bytes(20) }),
);

function aligned(one: Port): Port {
  return one;
}

const filter = optional({
  table: fc.nat(254),
  match: match.filter((fields) => Object.keys(fields).length > 0),
  outPort: u16,
  outGroup: u16,
});
const query = fc.oneof(
  fc.constantFrom({ kind: 'desc' }, { kind: 'tables' }, { kind: 'ports' }, { kind: 'groups' }, { kind: 'meters' }),
  fc.record({ kind: fc.constantFrom('flows', 'aggregate'), filter }),
  fc.record({ kind: fc.constant('ports'), port: u16 }),
  fc.record({ kind: fc.constant('groups'), group: u16 }),
  fc.record({ kind: fc.constantFrom('meters', 'meter_stats'), meter: u16 }),
);

const reason = fc.constantFrom('table_miss', 'apply_action', 'group', 99);
const packet2 = fc
  .tuple(
    fc.record({ packet: bytes(80), match }),
    optional({
      fullLen: u32,
      bufferId: u32,
      table: u8,
      cookie: u64,
      reason,
      userdata: bytes(20),
      continuation: bytes(64),
    }),
  )
  .map(([fixed, rest]) => made(fixed, rest));

const error = fc
  .record({ errorType: fc.nat(20), errorCode: fc.nat(40), data: bytes(80) })
  .map((fields) => made({ type: 'error' }, fields, { errorName: errorName(fields.errorType, fields.errorCode) }));

const typed = <T extends object>(type: string, model: Arbitrary<T>): Arbitrary<object> =>
  model.map((fields) => made({ type }, fields));

const messages: Arbitrary<object>[] = [
  typed('hello', fc.record({ versions: fc.subarray([1, 4, 5, 6]).filter((list) => list.length > 0) })),
  error,
  typed('echo_request', fc.record({ data: bytes(20) })),
  typed('echo_reply', fc.record({ data: bytes(20) })),
  fc.constantFrom(
    { type: 'features_request' },
    { type: 'get_config_request' },
    { type: 'barrier_request' },
    { type: 'barrier_reply' },
    { type: 'get_async_request' },
  ),
  typed('features_reply', fc.record({ datapathId: u64, buffers: u32, tables: u8, auxiliaryId: u8, capabilities: u32 })),
  typed('set_config', fc.record({ fragments: fc.constantFrom('normal', 'drop', 9), missSendLen: u16 })),
  typed('get_config_reply', fc.record({ fragments: fc.constantFrom('reassemble'), missSendLen: u16 })),
  typed(
    'packet_in',
    fc.record({ bufferId: u32, totalLen: u16, reason, table: u8, cookie: u64, match, packet: bytes(60) }),
  ),
  typed('nxt_packet_in2', packet2),
  typed('nxt_resume', packet2),
  typed('nxt_set_packet_in_format', fc.record({ format: fc.constantFrom('standard', 'nxt_packet_in2', 7) })),
  typed('nxt_set_controller_id', fc.record({ id: u16 })),
  typed('set_async', optional({ packetIn: u32, packetInSlave: u32, portStatus: u32, flowRemoved: u32 })),
  typed('get_async_reply', optional({ portStatusSlave: u32, flowRemovedSlave: u32 })),
  typed(
    'flow_removed',
    fc.record({
      table: u8,
      priority: u16,
      cookie: u64,
      reason: fc.constantFrom('idle_timeout', 'eviction', 88),
      match,
      idleTimeout: u16,
      hardTimeout: u16,
      durationSeconds: u32,
      durationNanoseconds: u32,
      packets: u64,
      bytes: u64,
    }),
  ),
  typed('port_status', fc.record({ reason: fc.constantFrom('add', 'delete', 'modify', 9), port })),
  typed('packet_out', fc.record({ match, actions, packet: bytes(60) })),
  typed('packet_out', fc.record({ match, actions, packet: bytes(0), bufferId: fc.nat(NO_BUFFER - 1) })),
  flowMod,
  fc
    .tuple(
      fc.record({
        command: fc.constantFrom('add', 'modify', 'delete', 'insert_bucket', 'remove_bucket'),
        group: u32,
        groupType,
        buckets: fc.array(bucket, { maxLength: 3 }),
      }),
      optional({ commandBucket: fc.nat(0xffff_ff00), selection }),
    )
    .map(([fixed, rest]) => made({ type: 'group_mod' }, fixed, rest)),
  typed(
    'meter_mod',
    fc.record({
      command: fc.constantFrom('add', 'modify', 'delete'),
      meter: u32,
      flags: meterFlags,
      bands: fc.array(band, { maxLength: 3 }),
    }),
  ),
  typed('multipart_request', fc.record({ query })),
  typed('multipart_reply', fc.record({ more: fc.boolean(), answer })),
  typed(
    'bundle_control',
    fc.record({
      command: fc.constantFrom('open_request', 'commit_reply', 'discard_request'),
      bundle: u32,
      flags: fc.subarray(['atomic', 'ordered']),
    }),
  ),
  typed('bundle_add', fc.record({ bundle: u32, flags: fc.subarray(['atomic', 'ordered']), message: flowMod })),
  typed('role_request', fc.record({ role: fc.constantFrom('no_change', 'equal', 'master', 'slave'), generation: u64 })),
  typed('role_reply', fc.record({ role: fc.constant('equal'), generation: u64 })),
  typed('unknown', fc.record({ messageType: fc.constantFrom(16, 17, 30, 99), body: bytes(40) })),
];

/** Any message in the form the decoder gives. */
export const message = fc.oneof(...messages) as Arbitrary<Message>;

/** Each kind of message on its own, so that a test can be sure to see all. */
export const messageKinds = messages as Arbitrary<Message>[];
