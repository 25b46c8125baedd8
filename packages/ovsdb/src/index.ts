export type {
  Change,
  ConnectionState,
  ConnectOptions,
  Limits,
  Monitor,
  MonitorMethod,
  MonitorTable,
  MonitorTables,
  OvsdbClient,
} from './api.ts';
export { connect } from './connect.ts';
export { OvsdbError, TransactionError, type OvsdbErrorCode, type TransactionFailure } from './error.ts';
export {
  comment,
  insert,
  mutate,
  remove,
  select,
  update,
  wait,
  type Comparison,
  type Condition,
  type Mutation,
  type Mutator,
  type Operation,
  type OperationResult,
  type OperationResults,
} from './operation.ts';
export { booleanOf, mapOf, numberOf, optionalNumberOf, optionalTextOf, refOf, refsOf, textOf, textsOf } from './row.ts';
export type { AtomicType, ColumnType, DatabaseSchema, TableSchema } from './schema.ts';
export {
  map,
  named,
  uuid,
  type Atom,
  type NamedRef,
  type Ref,
  type Row,
  type Value,
  type WriteAtom,
  type WriteRow,
  type WriteValue,
} from './value.ts';
