/** The public names of @alcor/openflow; everything else is private. */

export type {
  Action,
  ActionType,
  ControllerAction,
  CtAction,
  FieldSlice,
  FieldStart,
  LearnAction,
  LearnSource,
  LearnSpec,
  NatAction,
  PacketInReason,
  Range,
  UnknownAction,
} from './actions/types.ts';
export { connect } from './connection/connect.ts';
export { SwitchError } from './connection/switch-error.ts';
export type {
  ApplyOptions,
  ApplyResult,
  ConnectOptions,
  FlowModFailure,
  OpenFlowConnection,
  PacketOutOptions,
  RequestOptions,
  Sleep,
  Unsubscribe,
} from './connection/types.ts';
export { OpenFlowError } from './errors.ts';
export type { OpenFlowErrorCode } from './errors.ts';
export { FIELD_NAMES, FIELDS } from './fields.ts';
export type { FieldName, FieldSpec, Masking } from './fields.ts';
export type { Flow, FlowFilter, FlowFlag, FlowMod, FlowStats, Instruction, UnknownInstruction } from './flow.ts';
export { encodeFlowMod, flowKey, sameFlow } from './flow-key.ts';
export { canonicalInstructions, instructionsKey } from './instructions.ts';
export type { FieldValue, MaskedValue, Match, UnknownField } from './match.ts';
export { canonicalMatch, matchKey } from './match-codec.ts';
export { decodeMessage } from './messages/decode.ts';
export type { Decoded } from './messages/decode.ts';
export { encodeMessage } from './messages/encode.ts';
export type * from './messages/multipart-types.ts';
export type * from './messages/types.ts';
export { BUCKET, GROUP, METER, NO_BUFFER, PORT, TABLE } from './ports.ts';
export { ipv4, ipv4Mask, ipv4Prefix, ipv4Text, ipv6, ipv6Mask, ipv6Prefix, ipv6Text, mac, macText } from './text.ts';
