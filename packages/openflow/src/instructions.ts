import { readActions } from './actions/decode.ts';
import { writeActions } from './actions/encode.ts';
import { checkedLength } from './bytes/reader.ts';
import type { ByteReader } from './bytes/reader.ts';
import { ByteWriter } from './bytes/writer.ts';
import { OpenFlowError, unreachable } from './errors.ts';
import type { Instruction } from './flow.ts';

/** Instruction types (section 7.2.5, ofp_instruction_type). */
const OFPIT = { goto_table: 1, write_metadata: 2, write_actions: 3, apply_actions: 4, clear_actions: 5 } as const;

/** The order in which a switch carries instructions out, and in which they are written (section 5.6). */
const ORDER: readonly Instruction['type'][] = [
  'apply_actions',
  'clear_actions',
  'write_actions',
  'write_metadata',
  'goto_table',
  'unknown_instruction',
];

const ALL_64 = 0xffff_ffff_ffff_ffffn;

/** Instructions in canonical form: in order of execution, without those that do nothing. */
export function canonicalInstructions(instructions: readonly Instruction[]): readonly Instruction[] {
  // Most are written so already.
  if (instructions.length < 2 && !isNothing(instructions[0])) return instructions;
  if (instructions.length === 2 && !instructions.some(isNothing) && rank(instructions[0]!) < rank(instructions[1]!))
    return instructions;
  const kept = instructions.filter((instruction) => !isNothing(instruction));
  return kept.length < 2 ? kept : kept.sort((a, b) => rank(a) - rank(b));
}

function isNothing(instruction: Instruction | undefined): boolean {
  return instruction !== undefined && 'actions' in instruction && instruction.actions.length === 0;
}

function rank({ type }: Instruction): number {
  return ORDER.indexOf(type);
}

/** Writes instructions in canonical form. Throws `bad_structure` if one type occurs twice. */
export function writeInstructions(writer: ByteWriter, instructions: readonly Instruction[]): void {
  let last: Instruction['type'] | undefined;
  for (const instruction of canonicalInstructions(instructions)) {
    if (instruction.type === last && last !== 'unknown_instruction') {
      throw new OpenFlowError('bad_structure', `${last} occurs twice`);
    }
    last = instruction.type;
    writeInstruction(writer, instruction);
  }
}

function writeInstruction(writer: ByteWriter, instruction: Instruction): void {
  const start = writer.length;
  switch (instruction.type) {
    case 'apply_actions':
    case 'write_actions':
      writer.u16(OFPIT[instruction.type]).u16(0).zeros(4);
      writeActions(writer, instruction.actions);
      break;
    case 'clear_actions':
      writer.u16(OFPIT.clear_actions).u16(0).zeros(4);
      break;
    case 'write_metadata': {
      const { value, mask = ALL_64 } = instruction;
      writer.u16(OFPIT.write_metadata).u16(0).zeros(4);
      writer.u64(value & mask).u64(mask);
      break;
    }
    case 'goto_table':
      writer.u16(OFPIT.goto_table).u16(0).u8(instruction.table).zeros(3);
      break;
    case 'unknown_instruction':
      writer.bytes(instruction.bytes);
      break;
    default:
      unreachable(instruction);
  }
  writer.patch16(start + 2, writer.length - start);
}

/** Reads instructions to the reader's end. */
export function readInstructions(reader: ByteReader): Instruction[] {
  const instructions: Instruction[] = [];
  while (reader.left > 0) instructions.push(readInstruction(reader));
  return instructions;
}

function readInstruction(reader: ByteReader): Instruction {
  const whole = reader.peek();
  const type = reader.u16();
  const length = checkedLength(reader, reader.u16(), 4);
  const body = reader.inner(length - 4);
  switch (type) {
    case OFPIT.apply_actions:
      body.skip(4);
      return { type: 'apply_actions', actions: readActions(body) };
    case OFPIT.write_actions:
      body.skip(4);
      return { type: 'write_actions', actions: readActions(body) };
    case OFPIT.clear_actions:
      return { type: 'clear_actions' };
    case OFPIT.write_metadata: {
      body.skip(4);
      const [value, mask] = [body.u64(), body.u64()];
      return { type: 'write_metadata', value: value & mask, ...(mask === ALL_64 ? {} : { mask }) };
    }
    case OFPIT.goto_table:
      return { type: 'goto_table', table: body.u8() };
    default:
      return { type: 'unknown_instruction', bytes: whole.bytes(length) };
  }
}

const keyWriter = new ByteWriter(1024);

/**
 * A string that is equal for instructions that do the same in the same words: as `matchKey` is for matches. Two
 * `load`s and the `set_field` that the switch gives back for one of them have the same key.
 */
export function instructionsKey(instructions: readonly Instruction[]): string {
  keyWriter.reset();
  writeInstructions(keyWriter, instructions);
  return keyWriter.binaryText();
}
