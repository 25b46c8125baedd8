import type { FieldName } from './fields.ts';

/**
 * A field's value as an unsigned integer, most significant bit first as on the wire. Encoders take both forms;
 * decoders give `number` for fields of at most 48 bits (so MAC and IPv4 addresses are numbers) and `bigint` for wider.
 */
export type FieldValue = number | bigint;

/** A value of which only the bits set in `mask` count. */
export type MaskedValue = { readonly value: FieldValue; readonly mask: FieldValue };

/** A match field that is not in the table: the whole TLV, header included. */
export type UnknownField = { readonly type: 'unknown_field'; readonly bytes: Uint8Array };

/**
 * What a packet must look like. The order of keys has no meaning: a match is written in table order.
 * A mask of all ones says the same as a bare value, a mask of zero the same as no field, and
 * xreg/xxreg the same as the registers they are made of; `canonicalMatch` and `matchKey` see through all three.
 */
export type Match = { readonly [F in FieldName]?: FieldValue | MaskedValue } & {
  /** Kept so that a match can be written back as it was read. */
  readonly unknown?: readonly UnknownField[];
};
