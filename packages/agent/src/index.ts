export { Agent, type AgentOptions } from './agent.ts';
export * from './dataplane/index.ts';
export { HeldState, type HeldStateOptions, type Verdict } from './held-state.ts';
export type { GoalSink } from './held-vpc.ts';
export { onDemandInWords } from './on-demand-counters.ts';
export { Reports } from './reports.ts';
export { emptyReply, Session } from './session.ts';
export type { Source, StreamSource } from './sources.ts';
export type { MetadataGuest } from './guest-services.ts';
