export { Agent, type AgentOptions } from './agent.ts';
export * from './dataplane/index.ts';
export { addressGroupOf, securityGroupOf } from './held-groups.ts';
export { type Networks, routerOf } from './held-routers.ts';
export { HeldState, type HeldStateOptions, type Verdict } from './held-state.ts';
export type { GoalSink } from './held-vpc.ts';
export { Reports } from './reports.ts';
export { emptyReply, Session } from './session.ts';
export type { Source, StreamSource } from './sources.ts';
