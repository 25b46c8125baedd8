import type { FlowFilter, FlowStats } from '../flow.ts';
import type { Bucket, GroupType, MeterBand, MeterFlag, Port, SelectionMethod } from './types.ts';

/** What a multipart request asks for (section 7.3.5). */
export type MultipartQuery =
  | { readonly kind: 'desc' }
  | { readonly kind: 'flows'; readonly filter: FlowFilter }
  | { readonly kind: 'aggregate'; readonly filter: FlowFilter }
  | { readonly kind: 'tables' }
  /** One port, group or meter; all if absent. */
  | { readonly kind: 'ports'; readonly port?: number }
  | { readonly kind: 'groups'; readonly group?: number }
  | { readonly kind: 'meters'; readonly meter?: number }
  | { readonly kind: 'meter_stats'; readonly meter?: number }
  | { readonly kind: 'unknown'; readonly multipartType: number; readonly body: Uint8Array };

export type SwitchDescription = {
  readonly manufacturer: string;
  readonly hardware: string;
  readonly software: string;
  readonly serial: string;
  readonly datapath: string;
};

export type AggregateStats = { readonly packets: bigint; readonly bytes: bigint; readonly flows: number };

export type TableStats = {
  readonly table: number;
  readonly active: number;
  readonly lookups: bigint;
  readonly matches: bigint;
};

export type GroupDescription = {
  readonly group: number;
  readonly groupType: GroupType | number;
  readonly buckets: readonly Bucket[];
  readonly selection?: SelectionMethod;
};

export type MeterDescription = {
  readonly meter: number;
  readonly flags: readonly MeterFlag[];
  readonly bands: readonly MeterBand[];
};

/** What a meter has counted since it was made. */
export type MeterStats = {
  readonly meter: number;
  /** Flows that name it. */
  readonly references: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly durationSeconds: number;
  readonly durationNanoseconds: number;
  /** In the order of its bands: what each has acted on, which a drop band has dropped. */
  readonly bands: readonly { readonly packets: bigint; readonly bytes: bigint }[];
};

/** One part of an answer; `kind` is that of the query. */
export type MultipartAnswer =
  | { readonly kind: 'desc'; readonly description: SwitchDescription }
  | { readonly kind: 'flows'; readonly flows: readonly FlowStats[] }
  | { readonly kind: 'aggregate'; readonly stats: AggregateStats }
  | { readonly kind: 'tables'; readonly tables: readonly TableStats[] }
  | { readonly kind: 'ports'; readonly ports: readonly Port[] }
  | { readonly kind: 'groups'; readonly groups: readonly GroupDescription[] }
  | { readonly kind: 'meters'; readonly meters: readonly MeterDescription[] }
  | { readonly kind: 'meter_stats'; readonly meters: readonly MeterStats[] }
  | { readonly kind: 'unknown'; readonly multipartType: number; readonly body: Uint8Array };

export type MultipartRequest = { readonly type: 'multipart_request'; readonly query: MultipartQuery };

export type MultipartReply = {
  readonly type: 'multipart_reply';
  /** More parts follow. */
  readonly more: boolean;
  readonly answer: MultipartAnswer;
};
