import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import type { Action, FieldSlice, LearnSpec, NatAction } from '../actions/types.ts';
import { FIELD_NAMES, FIELDS } from '../fields.ts';
import type { FieldName, FieldSpec } from '../fields.ts';
import type { FlowMod, FlowStats, Instruction } from '../flow.ts';
import type { FieldValue, Match } from '../match.ts';
import { canonicalMatch } from '../match-codec.ts';
import { PORT } from '../ports.ts';

/** Every value here is in the form the decoder gives, so that a round trip must give back the very same. */

export const u8 = fc.integer({ min: 0, max: 0xff });
export const u16 = fc.integer({ min: 0, max: 0xffff });
export const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
export const u48 = fc.integer({ min: 0, max: 0xffff_ffff_ffff });
export const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
export const u128 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
export const bytes = (max: number): Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });

/** One object of several; what it makes is for the caller to know. */
export const made = (...parts: readonly object[]): never => Object.assign({}, ...parts) as never;

/** Some of the keys, never with the value undefined. */
function some<T extends object>(model: { [K in keyof T]: Arbitrary<T[K]> }): Arbitrary<Partial<T>> {
  return fc.record(model, { requiredKeys: [] }) as Arbitrary<Partial<T>>;
}

const positive16 = fc.integer({ min: 1, max: 0xffff });

function specOf(name: FieldName): FieldSpec {
  return FIELDS[name];
}

export function valueOf(name: FieldName): Arbitrary<FieldValue> {
  const { bits, bytes: width } = specOf(name);
  return width > 6
    ? fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n })
    : fc.integer({ min: 0, max: 2 ** bits - 1 });
}

export const fieldName = fc.constantFrom(...FIELD_NAMES);

const narrowField = fc.constantFrom(...FIELD_NAMES.filter((name) => specOf(name).bytes <= 8));

/** A match in canonical form: any fields, masks where they are allowed. */
export const match: Arbitrary<Match> = fc
  .uniqueArray(fc.constantFrom(...FIELD_NAMES.filter((name) => !/^x{1,2}reg/.test(name))), { maxLength: 8 })
  .chain((names) =>
    fc.record(
      Object.fromEntries(
        names.map((name) => {
          const exact: Arbitrary<unknown> = valueOf(name);
          const masked: Arbitrary<unknown> = fc.record({ value: valueOf(name), mask: valueOf(name) });
          return [name, specOf(name).masking === 'maskable' ? fc.oneof(exact, masked) : exact];
        }),
      ),
    ),
  )
  .map((fields) => canonicalMatch(fields as Match));

const slice: Arbitrary<Required<FieldSlice>> = narrowField.chain((field) => {
  const { bits: width } = specOf(field);
  return fc
    .tuple(fc.nat({ max: width - 1 }), fc.nat({ max: width - 1 }))
    .map(([a, b]) => ({ field, offset: Math.min(a, b), bits: Math.abs(a - b) + 1 }));
});

/** A slice as the decoder writes it: nothing that is the default. */
const shortSlice: Arbitrary<FieldSlice> = slice.map(({ field, offset, bits }) => ({
  field,
  ...(offset === 0 ? {} : { offset }),
  ...(offset + bits === specOf(field).bits ? {} : { bits }),
}));

const start = ({ field, offset }: Required<FieldSlice>): { field: FieldName; offset?: number } =>
  offset === 0 ? { field } : { field, offset };

const learnSpec: Arbitrary<LearnSpec> = fc.oneof(
  fc.tuple(slice, slice, fc.constantFrom('match', 'load')).map(([from, to, type]) => {
    const bits = Math.min(from.bits, to.bits);
    return made({ type, bits, from: made({ type: 'field' }, start(from)), to: start(to) });
  }),
  fc.tuple(slice, u128, fc.constantFrom('match', 'load')).map(([to, random, type]) => {
    const whole = random & ((1n << BigInt(to.bits)) - 1n);
    const value = to.bits <= 48 ? Number(whole) : whole;
    return { type, bits: to.bits, from: { type: 'value', value }, to: start(to) } as LearnSpec;
  }),
  slice.map((from) => ({ type: 'output', bits: from.bits, from: start(from) }) as LearnSpec),
);

const range = <T>(value: Arbitrary<T>): Arbitrary<{ min: T; max?: T }> =>
  fc.oneof(fc.record({ min: value }), fc.record({ min: value, max: value }));

const nat: Arbitrary<Action> = some<Omit<NatAction, 'type'>>({
  side: fc.constantFrom('src', 'dst'),
  ipv4: range(u32),
  ipv6: range(u128),
  ports: range(u16),
  persistent: fc.constant(true),
  choice: fc.constantFrom('hash', 'random'),
} as never).map((rest) => made({ type: 'nat' }, rest));

const setField: Arbitrary<Action> = fieldName.chain((field) => {
  const value = valueOf(field);
  const { bits, masking, bytes: width } = specOf(field);
  const exact = value.map((v) => ({ type: 'set_field', field, value: v }) as Action);
  if (masking === 'exact' || bits < 2) return exact;
  const kind = width > 6 ? BigInt : Number;
  const low = 1;
  return fc.oneof(
    exact,
    value.map((v) => ({ type: 'set_field', field, value: kind(BigInt(v) & 1n), mask: kind(low) }) as Action),
  );
});

const reason = fc.constantFrom('table_miss', 'invalid_ttl', 'action_set', 'group', 'packet_out', 77 as const);
const realPort = fc.oneof(fc.integer({ min: 1, max: 0xfeff }), fc.constantFrom(PORT.local, PORT.controller, PORT.all));

const leaf: Arbitrary<Action> = fc.oneof(
  u32.filter((port) => port !== PORT.controller).map((port) => ({ type: 'output', port }) as Action),
  fc.integer({ min: 0, max: 0xfffe }).map((maxLen) => ({ type: 'output', port: PORT.controller, maxLen }) as Action),
  u32.map((group) => ({ type: 'group', group }) as Action),
  u32.map((meter) => ({ type: 'meter', meter }) as Action),
  u32.map((queue) => ({ type: 'set_queue', queue }) as Action),
  u8.map((ttl) => ({ type: 'set_ttl', ttl }) as Action),
  u16.map((ethertype) => ({ type: 'push_vlan', ethertype }) as Action),
  fc.constantFrom<Action>({ type: 'dec_ttl' }, { type: 'pop_vlan' }, { type: 'ct_clear' }, { type: 'exit' }),
  setField,
  fc.tuple(slice, slice).map(([from, to]) => {
    return { type: 'move', from: start(from), to: start(to), bits: Math.min(from.bits, to.bits) } as Action;
  }),
  fc.tuple(u16, slice).map(([size, to]) => ({ type: 'check_pkt_larger', bytes: size, to: start(to) }) as Action),
  some({ table: fc.nat({ max: 254 }), port: realPort, ct: fc.constant(true) }).map((rest) =>
    made({ type: 'resubmit' }, rest),
  ),
  fc
    .tuple(shortSlice, some({ maxLen: fc.nat({ max: 0xfffe }) }))
    .map(([bits, rest]) => made({ type: 'output_reg' }, bits, rest)),
  fc
    .tuple(u32, fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 }))
    .map(([id, a, b]) => ({ type: 'conjunction', id, clause: Math.min(a, b), clauses: Math.max(a, b) }) as Action),
  some({
    maxLen: fc.nat({ max: 0xfffe }),
    controllerId: positive16,
    reason,
    userdata: fc.uint8Array({ minLength: 1, maxLength: 30 }),
    pause: fc.constant(true),
    meter: u32,
  }).map((rest) => made({ type: 'controller' }, rest)),
  fc
    .tuple(
      u8,
      fc.array(learnSpec, { maxLength: 5 }),
      some({
        idleTimeout: positive16,
        hardTimeout: positive16,
        finIdleTimeout: positive16,
        finHardTimeout: positive16,
        priority: positive16,
        cookie: fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn }),
        sendFlowRemoved: fc.constant(true),
        deleteLearned: fc.constant(true),
        limit: u32,
      }),
    )
    .map(([table, specs, rest]) => made({ type: 'learn', table }, rest, { specs })),
  nat,
  fc.nat({ max: 4 }).chain((n) => {
    const exact = fc.uint8Array({ minLength: 6 + 8 * n, maxLength: 6 + 8 * n });
    return exact.map((note) => ({ type: 'note', bytes: note }) as Action);
  }),
);

export const action: Arbitrary<Action> = fc.letrec<{ action: Action; ct: Action; clone: Action }>((tie) => ({
  action: fc.oneof({ maxDepth: 2, withCrossShrink: true }, leaf, tie('ct'), tie('clone')),
  clone: fc.array(tie('action'), { maxLength: 3 }).map((actions) => ({ type: 'clone', actions }) as Action),
  ct: some({
    commit: fc.constant(true),
    force: fc.constant(true),
    zone: fc.oneof(positive16, shortSlice),
    table: fc.nat({ max: 254 }),
    alg: fc.constantFrom('ftp', 'tftp', 5060 as const),
    actions: fc.array(tie('action'), { minLength: 1, maxLength: 3 }),
  }).map((rest) => made({ type: 'ct' }, rest)),
})).action;

const actions = fc.array(action, { minLength: 1, maxLength: 4 });

/** Instructions in canonical order. */
export const instructions: Arbitrary<Instruction[]> = fc
  .tuple(
    fc.option(actions.map((list) => ({ type: 'apply_actions', actions: list }) as Instruction)),
    fc.option(fc.constant({ type: 'clear_actions' } as Instruction)),
    fc.option(actions.map((list) => ({ type: 'write_actions', actions: list }) as Instruction)),
    fc.option(
      fc
        .oneof(
          u64.map((value) => ({ type: 'write_metadata', value }) as Instruction),
          u64.map((mask) => ({ type: 'write_metadata', value: (mask >> 1n) & mask, mask: mask & ~1n }) as Instruction),
        )
        .map(keptBits),
    ),
    fc.option(u8.map((table) => ({ type: 'goto_table', table }) as Instruction)),
  )
  .map((list) => list.filter((instruction) => instruction !== null));

function keptBits(instruction: Instruction): Instruction {
  if (instruction.type !== 'write_metadata' || instruction.mask === undefined) return instruction;
  return { ...instruction, value: instruction.value & instruction.mask };
}

const lasting = some({
  cookie: fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn }),
  idleTimeout: positive16,
  hardTimeout: positive16,
  importance: positive16,
  flags: fc.constantFrom(['send_flow_removed'], ['check_overlap', 'no_packet_counts'], ['no_byte_counts']),
});

export const flowMod: Arbitrary<FlowMod> = fc
  .tuple(
    fc.record({
      command: fc.constantFrom('add', 'modify', 'modify_strict', 'delete', 'delete_strict'),
      table: u8,
      priority: u16,
      match,
      instructions,
    }),
    lasting,
    some({ cookieMask: fc.bigInt({ min: 1n, max: 0xffffn }), outPort: fc.nat(0xfffe), outGroup: u16, bufferId: u16 }),
  )
  .map(([fixed, kept, rest]) => made({ type: 'flow_mod' }, fixed, kept, rest));

export const flowStats: Arbitrary<FlowStats> = fc
  .tuple(
    fc.record({
      table: u8,
      priority: u16,
      match,
      instructions,
      cookie: u64,
      durationSeconds: u32,
      durationNanoseconds: u32,
      packets: u64,
      bytes: u64,
    }),
    some({ idleSeconds: u32, idleTimeout: positive16, hardTimeout: positive16, importance: positive16 }),
  )
  .map(([fixed, rest]) => made(fixed, rest));
